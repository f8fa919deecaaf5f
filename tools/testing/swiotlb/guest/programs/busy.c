// SPDX-License-Identifier: GPL-2.0
/* Counts instructions, see busy.h. */
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "busy.h"
#include "guest.h"

#define ROUND		2		/* instructions of a round */
#define LEARN_ROUNDS	1000000
#define LEARN_NS	500000000
#define TRIES		20

static __u64 rounds;

/* Instructions that the clock's ticks take, for each one of the spinning thread. */
static double ticks;

static noreturn void *soak(void *unused)
{
	(void)unused;
	asm volatile("1:	incq %0\n"
		     "	jmp 1b" : "+m" (rounds));
	__builtin_unreachable();
}

struct busy busy_read(void)
{
	struct busy now = {
		.tsc = __rdtsc(),
		.rounds = __atomic_load_n(&rounds, __ATOMIC_RELAXED),
	};

	return now;
}

/* Instructions since @from: all of them, and those of the spinning thread. */
static void split(const struct busy *from, __u64 *all, __u64 *soaked)
{
	struct busy now = busy_read();

	*all = now.tsc - from->tsc;
	*soaked = (now.rounds - from->rounds) * ROUND;
}

__u64 busy_since(const struct busy *from)
{
	__u64 all, soaked;

	split(from, &all, &soaked);
	return all - soaked - (__u64)(ticks * soaked);
}

static __u64 count_known(void)
{
	unsigned long left = LEARN_ROUNDS;
	__u64 start = __rdtsc();

	asm volatile("1:	decq %0\n"
		     "	jnz 1b" : "+r" (left));
	return __rdtsc() - start;
}

/*
 * The TSC must count a known number of instructions, plus some for ticks. Try it
 * several times, as a driver may have work to do just then.
 */
static void check_tsc(void)
{
	__u64 least = ~0ull;
	__u64 counted;
	int i;

	for (i = 0; i < TRIES; i++) {
		counted = count_known();
		if (counted < least)
			least = counted;
	}
	if (least < ROUND * LEARN_ROUNDS || least > ROUND * LEARN_ROUNDS * 11 / 10)
		die("%d instructions are %llu in the TSC: start QEMU with -icount shift=0",
		    ROUND * LEARN_ROUNDS, least);
}

static void learn_ticks(void)
{
	struct timespec wait = { .tv_nsec = LEARN_NS };
	struct busy start = busy_read();
	__u64 all, soaked;

	nanosleep(&wait, NULL);
	split(&start, &all, &soaked);
	if (soaked < LEARN_ROUNDS)
		die("the processor is never free: something else is running");
	ticks = (double)(all - soaked) / soaked;
}

void busy_start(void)
{
	struct sched_param none = { 0 };
	pthread_t thread;
	int err;

	if (sysconf(_SC_NPROCESSORS_ONLN) != 1)
		die("there is more than one processor: start QEMU with -smp 1");
	check_tsc();
	err = pthread_create(&thread, NULL, soak, NULL);
	if (!err)
		err = pthread_setschedparam(thread, SCHED_IDLE, &none);
	if (err)
		die("no thread for idle time: %s", strerror(err));
	learn_ticks();
	note("CLOCK ticks take %.0f of a million instructions", 1e6 * ticks);
}
