/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The machine that both software IO TLBs run on: memory that is handed out once
 * (machine.c), a clock and CPUs (clock.c).
 */
#ifndef _BENCH_MACHINE_H
#define _BENCH_MACHINE_H

#include <linux/types.h>

/* machine.c */
void machine_boot(void);
unsigned long machine_allocated(void);
void machine_die(const char *fmt, ...) __printf(1, 2) __attribute__((__noreturn__));

/* clock.c */
u64 now_ns(void);
double tick_ns(void);
void run_on(unsigned int n);

/* Reads the clock after all earlier instructions, and before all later ones. */
static inline u64 ticks(void)
{
	u64 now;

	__builtin_ia32_lfence();
	now = __builtin_ia32_rdtsc();
	__builtin_ia32_lfence();
	return now;
}

#endif
