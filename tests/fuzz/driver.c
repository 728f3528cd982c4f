// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * driver.c - runs a libFuzzer harness without libFuzzer
 *
 *     fuzz_file [-t SECONDS] [-s SEED] FILE|DIR...
 *
 * Feeds every file as it is, then mutations of them until the time is over (default 5 s). The same
 * seed over the same files makes the same inputs in the same order. An input that crashes, or takes
 * longer than 10 s, is left in ./fuzz-crash; give that file as the only argument, with -t 0, to see
 * it again.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Offered by the sanitizers' runtime, if it is linked in. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

enum { INPUT_MAX = 4096, FILES_MAX = 1024, HANG_SECONDS = 10 };

struct input {
	uint8_t *data;
	size_t len;
};

static struct input corpus[FILES_MAX];
static size_t n_corpus;
static struct input current; /* for save_input() */
static uint64_t random_state;

/* Called when the process is about to die: only what may be called then. */
static void save_input(void)
{
	int fd = open("fuzz-crash", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ssize_t written = write(fd, current.data, current.len);

	(void)written; /* the report that follows is worth more */
	(void)close(fd);
}

static void on_signal(int signal)
{
	save_input();
	(void)raise(signal); /* SA_RESETHAND: this time it ends the process */
}

static void catch_deaths(void)
{
	const struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND };

	(void)sigaction(SIGABRT, &action, NULL);
	(void)sigaction(SIGALRM, &action, NULL);
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(save_input);
}

/* xorshift64*, Vigna 2014 */
static uint64_t rnd(uint64_t below)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (random_state * 2685821657736338717u >> 16) % below;
}

static void load_file(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct input *input = &corpus[n_corpus];

	if (fd < 0 || fstat(fd, &st) < 0 || n_corpus == FILES_MAX) {
		(void)fprintf(stderr, "%s: %s\n", path,
			      fd < 0 ? strerror(errno) : "too many files");
		exit(2);
	}
	input->data = malloc((size_t)st.st_size + 1);
	input->len = (size_t)read(fd, input->data, (size_t)st.st_size);
	(void)close(fd);
	n_corpus++;
}

static int not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Sorted: the order in a folder differs from machine to machine. */
static void load(const char *path)
{
	struct dirent **entries;
	char file[4096];
	int n = scandir(path, &entries, not_hidden, alphasort);

	if (n < 0) {
		load_file(path);
		return;
	}
	for (int i = 0; i < n; i++) {
		(void)snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
		load_file(file);
		free(entries[i]);
	}
	free(entries);
}

/* The harness gets a copy of the exact size, so that a read past its end is seen. */
static void run_one(const uint8_t *data, size_t len)
{
	current.data = malloc(len ? len : 1);
	current.len = len;
	memcpy(current.data, data, len);
	(void)alarm(HANG_SECONDS);
	(void)LLVMFuzzerTestOneInput(current.data, len);
	(void)alarm(0);
	free(current.data);
}

static size_t insert(uint8_t *buf, size_t len, size_t at, const uint8_t *data, size_t n)
{
	if (n > INPUT_MAX - len)
		n = INPUT_MAX - len;
	memmove(buf + at + n, buf + at, len - at);
	memcpy(buf + at, data, n);
	return len + n;
}

static size_t cut(uint8_t *buf, size_t len, size_t at, size_t n)
{
	if (n > len - at)
		n = len - at;
	memmove(buf + at, buf + at + n, len - at - n);
	return len - n;
}

/* A piece of any file of the corpus: words of the format meet in new places. */
static size_t insert_piece(uint8_t *buf, size_t len, size_t at)
{
	const struct input *other = &corpus[rnd(n_corpus)];
	size_t from = rnd(other->len + 1);

	return insert(buf, len, at, other->data + from, rnd(other->len - from + 1) % 64);
}

static size_t mutate(uint8_t *buf, size_t len)
{
	static const char special[] =
		"\0\n\t \"'\\:-[]{}&*!|>%/#~0189.,e+\x7f\x80\xbf\xc3\xe2\xf0\xff";
	size_t at = rnd(len + 1);
	uint8_t byte = (uint8_t)rnd(256);

	switch (rnd(7)) {
	case 0:
		if (at < len)
			buf[at] ^= (uint8_t)(1 << rnd(8));
		return len;
	case 1:
		return insert(buf, len, at, &byte, 1);
	case 2:
		return cut(buf, len, at, 1 + rnd(8));
	case 3:
		return cut(buf, len, at, 1 + rnd(len + 1));
	case 4:
		return insert(buf, len, at, (const uint8_t *)special + rnd(sizeof(special) - 1), 1);
	default:
		return insert_piece(buf, len, at);
	}
}

static void run_mutation(void)
{
	const struct input *start = &corpus[rnd(n_corpus)];
	uint8_t buf[INPUT_MAX];
	size_t len = start->len < INPUT_MAX ? start->len : INPUT_MAX;

	memcpy(buf, start->data, len);
	for (uint64_t i = rnd(6) + 1; i > 0; i--)
		len = mutate(buf, len);
	run_one(buf, len);
}

static double now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void free_corpus(void)
{
	for (size_t i = 0; i < n_corpus; i++)
		free(corpus[i].data);
}

int main(int argc, char **argv)
{
	unsigned long seconds = 5, seed = 1, runs = 0;
	double end;
	int opt;

	while ((opt = getopt(argc, argv, "t:s:")) != -1) {
		if (opt == '?')
			return 2;
		*(opt == 't' ? &seconds : &seed) = strtoul(optarg, NULL, 10);
	}
	for (int i = optind; i < argc; i++)
		load(argv[i]);
	if (n_corpus == 0) {
		(void)fprintf(stderr, "usage: %s [-t SECONDS] [-s SEED] FILE|DIR...\n", argv[0]);
		return 2;
	}
	random_state = seed * 0x9e3779b97f4a7c15u | 1;
	catch_deaths();
	for (size_t i = 0; i < n_corpus; i++, runs++)
		run_one(corpus[i].data, corpus[i].len);
	for (end = now() + (double)seconds; now() < end; runs++)
		run_mutation();
	(void)printf("%s: %lu runs, seed %lu, %zu files\n", argv[0], runs, seed, n_corpus);
	free_corpus();
	return 0;
}
