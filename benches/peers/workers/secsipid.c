/* A worker of benches/peers: libsecsipid (secsipidx), the whole Identity value with the public key in memory:
 * signature, claims and their age, no certificate path. Build: cc -O2 secsipid.c -lsecsipid */
#include <libsecsipid.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_VALUES 4096

static char *values[MAX_VALUES];
static int count, key_length;
static char key[8192];
/* The tokens carry one fixed time: any age passes. */
static const int NO_EXPIRY = 2000000000;

static FILE *open_file(const char *folder, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    if (!file) { perror(path); exit(1); }
    return file;
}

static void verify_all(void) {
    for (int i = 0; i < count; i++) {
        int result = SecSIPIDCheckFullPubKey(values[i], (int)strlen(values[i]), NO_EXPIRY, key, key_length);
        if (result != 0) { fprintf(stderr, "value %d: secsipid says %d\n", i + 1, result); exit(1); }
    }
}

static double microseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

int main(int argc, char **argv) {
    if (argc < 2) { fprintf(stderr, "secsipid FOLDER\n"); return 2; }
    const char *folder = argv[argc - 1];
    FILE *file = open_file(folder, "public.pem");
    key_length = (int)fread(key, 1, sizeof key - 1, file);
    fclose(file);
    file = open_file(folder, "identities.txt");
    char *line = NULL;
    size_t room = 0;
    for (ssize_t length; count < MAX_VALUES && (length = getline(&line, &room, file)) > 0; count++) {
        if (line[length - 1] == '\n') line[length - 1] = '\0';
        values[count] = strdup(line);
    }
    fclose(file);
    verify_all();
    printf("ready\n");
    fflush(stdout);
    char request[64];
    while (fgets(request, sizeof request, stdin)) {
        int passes = atoi(request);
        double began = microseconds();
        for (int i = 0; i < passes; i++) verify_all();
        printf("%f\n", (microseconds() - began) / ((double)passes * count));
        fflush(stdout);
    }
    return 0;
}
