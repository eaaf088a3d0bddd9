//! The page of counts, as far as tests add it up.

use crate::stand::Stand;

/// What `/metrics` said at one time.
#[derive(Clone, Debug)]
pub(crate) struct Page(Vec<(String, f64)>);

impl Page {
    pub(crate) fn of(stand: &Stand) -> Self {
        Self::read(&stand.get("/metrics").text())
    }

    pub(crate) fn read(text: &str) -> Self {
        let series = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().unwrap()))
        });
        Self(series.collect())
    }

    /// The sum of all series of a name whose labels hold all of `labels`, such as `route="verify"`.
    pub(crate) fn sum(&self, name: &str, labels: &[&str]) -> u64 {
        let found = self.0.iter().filter(|(series, _)| {
            let (own, own_labels) = series.split_once('{').unwrap_or((series, ""));
            own == name && labels.iter().all(|label| own_labels.contains(label))
        });
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::as_conversions, reason = "counts")]
        let sum = found.map(|(_, value)| *value).sum::<f64>() as u64;
        sum
    }

    /// Every series whose name ends so.
    pub(crate) fn ending(&self, end: &'static str) -> impl Iterator<Item = (&str, f64)> {
        let is_named = move |series: &str| series.split('{').next().unwrap().ends_with(end);
        self.0.iter().filter(move |(series, _)| is_named(series)).map(|(series, value)| (series.as_str(), *value))
    }
}
