// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the tests with threads and prints KTAP.
 *
 *	threads [-t SECONDS] [-s SEED] [-v] [NAME...]
 *
 * All tests together take SECONDS, or longer if one needs more rounds. SEED decides
 * what each thread does, not how threads interleave: a failure may need several runs
 * to come back.
 *
 * Each test is a new process, started with execl(): ThreadSanitizer cannot handle a fork
 * of a process that has had threads.
 */
#include <sys/personality.h>
#include <time.h>
#include <unistd.h>

#include "threads.h"

#define DEFAULT_SECONDS	8
#define PATIENCE	30	/* more seconds, if not all has happened that a test needs */

static double seconds_each;
static u64 seed;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Has all happened that the test needs? If not, it has tested nothing. */
static bool has_happened(const struct scenario *s)
{
	if (!tally.rounds || !(tally.maps || tally.leaves))
		return false;
	if ((s->must_fail && !tally.failures) || (s->hand_over && !tally.handed_over) ||
	    (s->sync && !tally.syncs))
		return false;
	if (!s->grows)
		return true;
	return tally.pools && tally.removed && tally.freed_late &&
	       (s->frames != FRAMES_NATIVE || tally.transients);
}

static void print_tally(void)
{
	printf("%lu rounds, %lu maps, %lu without room, %lu syncs, %lu handed over\n",
	       tally.rounds, tally.maps, tally.failures, tally.syncs, tally.handed_over);
	printf("%lu pools added, %lu freed, %lu transient, %lu freed by RCU, %lu leaves remembered\n",
	       tally.pools, tally.removed, tally.transients, tally.freed_late, tally.leaves);
}

/*
 * Run rounds of a test until time is up. How threads interleave decides how soon, for
 * example, a pool is freed. On a busy machine that takes more rounds.
 */
static int run_test(const char *name, double seconds)
{
	double start = now();
	const struct scenario *s = scenarios;

	while (strcmp(s->name, name))
		s++;
	do
		s->run(s, machine_random(&seed));
	while (now() < start + seconds ||
	       (!has_happened(s) && now() < start + seconds + PATIENCE));
	print_tally();
	if (!has_happened(s))
		machine_fail("the test ran, but not all has happened that it needs");
	return 0;
}

static void exec_test(const void *scenario)
{
	const struct scenario *s = scenario;
	char seconds_text[32], seed_text[32];

	snprintf(seconds_text, sizeof(seconds_text), "%f", seconds_each);
	snprintf(seed_text, sizeof(seed_text), "%llu", (unsigned long long)seed);
	/* ThreadSanitizer cannot handle all addresses that memory may be mapped to. */
	personality(ADDR_NO_RANDOMIZE);
	alarm(60 + seconds_each);
	execl("/proc/self/exe", "threads", "-1", s->name, "-t", seconds_text, "-s", seed_text,
	      machine_verbose ? "-v" : NULL, NULL);
	perror("threads");
	_exit(2);
}

static bool chosen(const char *name, int argc, char **argv)
{
	int i;

	for (i = optind; i < argc; i++)
		if (!strcmp(name, argv[i]))
			return true;
	return optind == argc;
}

static int run_chosen(int argc, char **argv, double seconds)
{
	unsigned int planned = 0, number = 0, failed = 0, i;
	struct ktap_process process;
	char name[40];

	for (i = 0; i < nr_scenarios; i++)
		planned += chosen(scenarios[i].name, argc, argv);
	printf("KTAP version 1\n1..%u\n# seed %llu\n", planned, (unsigned long long)seed);
	seconds_each = seconds / planned;
	for (i = 0; i < nr_scenarios; i++) {
		if (!chosen(scenarios[i].name, argc, argv))
			continue;
		snprintf(name, sizeof(name), "threads.%s", scenarios[i].name);
		ktap_start(&process, exec_test, &scenarios[i]);
		failed += !ktap_result(++number, name, ktap_wait(&process));
	}
	return failed || !planned;
}

int main(int argc, char **argv)
{
	double seconds = DEFAULT_SECONDS;
	const char *single = NULL;
	int option;

	seed = time(NULL);
	while ((option = getopt(argc, argv, "1:t:s:v")) != -1) {
		if (option == '1')
			single = optarg;
		else if (option == 't')
			seconds = atof(optarg);
		else if (option == 's')
			seed = strtoull(optarg, NULL, 0);
		else if (option == 'v')
			machine_verbose = true;
		else
			return 2;
	}
	if (single)
		return run_test(single, seconds);
	return run_chosen(argc, argv, seconds);
}
