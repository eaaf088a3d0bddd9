//! What only a terminal shows: bars, and lines broken to its width. `script` lends one.
#![cfg(all(feature = "cli", target_os = "linux"))]
#![expect(clippy::unwrap_used, reason = "a test may stop where its own data are wrong")]

use std::process::{Command, Stdio};

/// What a terminal of so many columns shows of a shell command; `{}` stands for stirtrace.
fn on_a_terminal(columns: u16, command: &str) -> String {
    let command = command.replace("{}", env!("CARGO_BIN_EXE_stirtrace"));
    let output = Command::new("script")
        .args(["-qec", &format!("stty rows 40 cols {columns}; {command}"), "/dev/null"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

const TRACE: &str = "{} trace --config examples/dialer/stirtrace.toml examples/dialer/requests.csv";

#[test]
fn the_bar_shows_wherever_stderr_is_a_terminal() {
    assert!(on_a_terminal(100, TRACE).contains("reading records"));
    assert!(on_a_terminal(100, &format!("{TRACE} >/dev/null")).contains("reading records"));
    assert!(!on_a_terminal(100, &format!("{TRACE} 2>/dev/null")).contains("reading records"));
    assert!(!on_a_terminal(100, &format!("{TRACE} --quiet")).contains("reading records"));
}

#[test]
fn long_lines_are_broken_to_the_width_of_the_terminal() {
    let widest = |columns| {
        let shown = on_a_terminal(columns, &format!("{TRACE} --color never 2>/dev/null"));
        assert!(shown.contains("Twill Communications"), "{shown}");
        let has_room = |line: &&str| line.split(' ').all(|word| word.len() < 40);
        shown.lines().map(str::trim_end).filter(has_room).map(|line| line.chars().count()).max().unwrap()
    };
    assert!(widest(60) <= 60, "{}", widest(60));
    assert!(widest(300) > 100);
}
