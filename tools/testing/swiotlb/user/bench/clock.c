// SPDX-License-Identifier: GPL-2.0
/*
 * The clock, and the CPU that a thread runs on.
 */
#include <sched.h>
#include <time.h>

#include "machine.h"

u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* Nanoseconds in a tick of ticks(): measured once, for 20 ms */
double tick_ns(void)
{
	static double length;
	u64 start_ns, start;

	if (length)
		return length;
	start_ns = now_ns();
	start = ticks();
	while (now_ns() - start_ns < 20000000)
		;
	length = (double)(now_ns() - start_ns) / (ticks() - start);
	return length;
}

/* Run on the n-th CPU that this process may use. The kernel's code sees CPU n. */
void run_on(unsigned int n)
{
	static cpu_set_t allowed;
	unsigned int cpu, seen = 0;
	cpu_set_t one;

	if (!CPU_COUNT(&allowed))
		sched_getaffinity(0, sizeof(allowed), &allowed);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &allowed) || seen++ < n)
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (sched_setaffinity(0, sizeof(one), &one))
			machine_die("cannot run on CPU %u", cpu);
		machine_cpu = n;
		return;
	}
	machine_die("there are only %u CPUs", seen);
}
