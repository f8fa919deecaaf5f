// SPDX-License-Identifier: GPL-2.0
/*
 * Time, and on which CPU it passes.
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

/* The n-th CPU that we may run on. It is also the one that the kernel's code sees. */
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
