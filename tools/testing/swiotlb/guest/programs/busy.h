/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Instructions that the one processor of a guest executes, kernel, interrupts and
 * hypervisor included, but not while it waits.
 *
 * With QEMU's -icount the TSC counts instructions, but jumps when the processor halts.
 * So the processor must never halt: whenever nothing else wants to run, a thread spins
 * and counts its rounds. Its instructions are subtracted.
 */
#ifndef SWIOTLB_BUSY_H
#define SWIOTLB_BUSY_H

#include <linux/types.h>

/* Call it once, before the first read. Dies when the TSC does not count instructions. */
void busy_start(void);

struct busy {
	__u64 tsc;
	__u64 rounds;
};

struct busy busy_read(void);

/* Instructions since @from, less the clock's ticks while the processor waited. */
__u64 busy_since(const struct busy *from);

#endif /* SWIOTLB_BUSY_H */
