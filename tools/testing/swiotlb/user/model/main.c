// SPDX-License-Identifier: GPL-2.0
/*
 * Random sequences, one after the other, until one fails. That one is made short,
 * printed, and kept in a file.
 *
 *	fuzz [--seed N] [--time SECONDS] [--steps N] [--out DIR]
 *	fuzz --replay FILE
 *	fuzz --shrink FILE [--out DIR]
 *
 * A failure ends the process, so sequences run in children, many in each. A child
 * stores its progress in shared memory.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "steps.h"

#define BATCH		4000		/* sequences for each child */
#define PATIENCE	20		/* seconds for one sequence */

static struct {
	u64 seed;			/* of the sequence that runs */
	unsigned int progress;		/* step in it */
	u64 steps;			/* done in all */
	u64 sequences;
} *shared;

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* The sequence of a seed. In few sequences something fails during boot. */
static unsigned int random_steps(u64 seed, struct step *steps)
{
	u64 random = seed, word;
	unsigned int nr = HEADER_STEPS + 45 + machine_random(&random) % 350, i;

	for (i = 0; i < nr; i++) {
		word = machine_random(&random);
		memcpy(&steps[i], &word, sizeof(steps[i]));
	}
	if (machine_random(&random) % 32)
		steps[0].size &= 0xffff;
	return nr;
}

static void quiet(void)
{
	int null = open("/dev/null", O_WRONLY);

	dup2(null, 1);
	dup2(null, 2);
}

/* Run @work in a child; false if that ended badly. */
static bool in_child(void (*work)(void *data), void *data)
{
	pid_t child;
	int status;

	fflush(NULL);
	child = fork();
	if (child < 0) {
		perror("fuzz: fork");
		exit(2);
	}
	if (!child) {
		work(data);
		fflush(NULL);
		_exit(0);
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status) && !WEXITSTATUS(status);
}

/* --- many sequences --- */

struct batch {
	u64 seed;
	u64 steps;
	double until;
};

static void run_batch(void *data)
{
	struct batch *batch = data;
	struct step steps[MAX_STEPS];
	unsigned int nr, i;

	quiet();
	for (i = 0; i < BATCH && seconds() < batch->until && shared->steps < batch->steps; i++) {
		shared->seed = batch->seed + i;
		nr = random_steps(shared->seed, steps);
		alarm(PATIENCE);
		run_sequence(steps, nr, &shared->progress, false);
		shared->steps += nr - HEADER_STEPS;
		shared->sequences++;
	}
}

/* --- one sequence --- */

struct sequence {
	const struct step *steps;
	unsigned int nr;
	bool print;
};

static void run_one(void *data)
{
	struct sequence *s = data;

	if (s->print)
		dup2(1, 2);
	else
		quiet();
	alarm(PATIENCE);
	run_sequence(s->steps, s->nr, &shared->progress, s->print);
}

static bool fails(const struct step *steps, unsigned int nr)
{
	struct sequence s = { steps, nr, false };

	return !in_child(run_one, &s);
}

static bool show(const struct step *steps, unsigned int nr)
{
	struct sequence s = { steps, nr, true };

	setvbuf(stdout, NULL, _IOLBF, 0);
	return in_child(run_one, &s);
}

/* --- a failure --- */

static u32 hash(const void *data, size_t size)
{
	const u8 *bytes = data;
	u32 hash = 2166136261U;

	while (size--)
		hash = (hash ^ *bytes++) * 16777619;
	return hash;
}

static void save(const char *dir, const struct step *steps, unsigned int nr, const char *program)
{
	char name[4096], temporary[4096 + 8];
	FILE *file;

	snprintf(name, sizeof(name), "%s/failure-%08x", dir, hash(steps, nr * sizeof(*steps)));
	snprintf(temporary, sizeof(temporary), "%s.new", name);
	mkdir(dir, 0777);
	file = fopen(temporary, "w");
	if (!file || fwrite(steps, sizeof(*steps), nr, file) != nr || fclose(file) ||
	    rename(temporary, name)) {
		printf("# cannot write %s: %s\n", name, strerror(errno));
		return;
	}
	printf("# replay: %s --replay %s\n", program, name);
}

/* A sequence has failed: make it short and plain, print it and keep it. */
static void report(struct step *steps, unsigned int nr, const char *dir, const char *program)
{
	double start = seconds();

	if (fails(steps, nr))
		nr = shrink(steps, nr, fails);
	else
		printf("# it does not fail on its own\n");
	printf("# shortened to %u steps in %.1f s\n", nr - min(nr, HEADER_STEPS),
	       seconds() - start);
	show(steps, nr);
	save(dir, steps, nr, program);
}

static unsigned int read_steps(const char *name, struct step *steps)
{
	FILE *file = fopen(name, "r");
	unsigned int nr;

	if (!file) {
		perror(name);
		exit(2);
	}
	memset(steps, 0, HEADER_STEPS * sizeof(*steps));
	nr = fread(steps, sizeof(*steps), MAX_STEPS, file);
	fclose(file);
	return max(nr, HEADER_STEPS);
}

static bool replay(const char *name)
{
	struct step steps[MAX_STEPS];

	return show(steps, read_steps(name, steps));
}

static bool shrink_file(const char *name, const char *dir, const char *program)
{
	struct step steps[MAX_STEPS];
	unsigned int nr = read_steps(name, steps);

	if (!fails(steps, nr))
		return true;
	report(steps, nr, dir, program);
	return false;
}

static bool fuzz(struct batch *batch, const char *dir, const char *program)
{
	struct step steps[MAX_STEPS];
	double start = seconds();
	bool good = true;

	printf("# seed %llu\n", batch->seed);
	batch->until += start;
	while (good && seconds() < batch->until && shared->steps < batch->steps) {
		good = in_child(run_batch, batch);
		batch->seed += BATCH;
	}
	printf("# %llu sequences, %llu steps, %.0f steps/s\n", shared->sequences, shared->steps,
	       shared->steps / (seconds() - start));
	if (!good) {
		printf("# seed %llu failed at step %u\n", shared->seed, shared->progress);
		report(steps, random_steps(shared->seed, steps), dir, program);
	}
	return good;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' }, { "time", required_argument, NULL, 't' },
		{ "steps", required_argument, NULL, 'n' }, { "out", required_argument, NULL, 'o' },
		{ "replay", required_argument, NULL, 'r' },
		{ "shrink", required_argument, NULL, 'm' }, { }
	};
	struct batch batch = { time(NULL) * 1000003ULL, U64_MAX, 10 };
	const char *dir = ".", *to_replay = NULL, *to_shrink = NULL;
	bool good;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 's':
			batch.seed = strtoull(optarg, NULL, 0);
			break;
		case 't':
			batch.until = atof(optarg);
			break;
		case 'n':
			batch.steps = strtoull(optarg, NULL, 0);
			batch.until = 1e9;
			break;
		case 'o':
			dir = optarg;
			break;
		case 'r':
			to_replay = optarg;
			break;
		case 'm':
			to_shrink = optarg;
			break;
		default:
			return 2;
		}
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED) {
		perror("fuzz: mmap");
		return 2;
	}
	printf("KTAP version 1\n1..1\n");
	if (to_replay)
		good = replay(to_replay);
	else if (to_shrink)
		good = shrink_file(to_shrink, dir, argv[0]);
	else
		good = fuzz(&batch, dir, argv[0]);
	printf("%sok 1 %s\n", good ? "" : "not ", to_replay || to_shrink ? "replay" :
	       "random_sequences");
	return !good;
}
