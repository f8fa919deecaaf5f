/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Instructions that the one processor of a guest executes, kernel, interrupts and
 * hypervisor included, but not while it waits.
 *
 * QEMU's -icount makes the TSC count instructions, and jumps over the time that a
 * processor halts. So ours never does: whenever nothing else wants to run, a thread
 * counts its own rounds, and what it has executed is taken off.
 */
#ifndef SWIOTLB_BUSY_H
#define SWIOTLB_BUSY_H

#include <linux/types.h>

/* Once, before the first read; dies when the TSC does not count instructions. */
void busy_start(void);

struct busy {
	__u64 tsc;
	__u64 rounds;
};

struct busy busy_read(void);

/* Instructions since @from, less the clock's ticks while the processor waited. */
__u64 busy_since(const struct busy *from);

#endif /* SWIOTLB_BUSY_H */
