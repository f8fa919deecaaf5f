/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kernel functions that only the KUnit suites use. A sleep advances the time. A wait for
 * work or for readers makes the fake machine run the work or the callbacks.
 *
 * There are no interrupts and no other CPUs. Functions for these fail when they are called;
 * cases that call them are skipped, see tests/kunit.c.
 */
#ifndef _SHIM_KUNIT_KERNEL_H
#define _SHIM_KUNIT_KERNEL_H

#include "../../machine/machine.h"

#define flush_work(w)			machine_work()
#define cancel_work_sync(w)		machine_cancel_work(w)
#define cancel_delayed_work_sync(w)	machine_cancel_work(&(w)->work)
#define rcu_barrier()			machine_grace_period()

static inline void schedule_timeout_uninterruptible(long ticks)
{
	machine_ticks += ticks;
}

static inline void msleep(unsigned int ms)
{
	schedule_timeout_uninterruptible(DIV_ROUND_UP(ms * HZ, 1000));
}

/* --- memory --- */

#define alloc_page(gfp)			alloc_pages(gfp, 0)
#define __free_page(page)		__free_pages(page, 0)

/* The first byte that is not @c */
static inline const void *memchr_inv(const void *start, int c, size_t bytes)
{
	const u8 *byte = start;

	for (; bytes; bytes--, byte++)
		if (*byte != (u8)c)
			return byte;
	return NULL;
}

#define xen_pv_domain()			(!dma_machine_is_phys())

static inline int xen_alloc_unpopulated_pages(unsigned int nr, struct page **pages)
{
	*pages = alloc_pages(GFP_KERNEL, 0);
	machine_make_hole(page_to_phys(*pages));
	return 0;
}

#define xen_free_unpopulated_pages(nr, pages)	__free_pages(*(pages), 0)

/* --- random numbers --- */

struct rnd_state {
	u64 state;
};

static inline void prandom_seed_state(struct rnd_state *rnd, u64 seed)
{
	rnd->state = seed;
}

static inline u32 prandom_u32_state(struct rnd_state *rnd)
{
	return machine_random(&rnd->state);
}

/* --- interrupts --- */

enum hrtimer_restart { HRTIMER_NORESTART, HRTIMER_RESTART };
enum hrtimer_mode { HRTIMER_MODE_REL_PINNED_SOFT, HRTIMER_MODE_REL_PINNED_HARD };

struct hrtimer {
	enum hrtimer_restart (*function)(struct hrtimer *timer);
};

#define ns_to_ktime(ns)			(ns)
#define hrtimer_init(t, clock, mode)	((void)(mode))
#define hrtimer_setup(t, fn, clock, mode) ((void)(mode), (t)->function = (fn))
#define hrtimer_start(t, time, mode)	machine_fail("no interrupt comes")
#define hrtimer_forward_now(t, time)	do { } while (0)
#define hrtimer_cancel(t)		do { } while (0)
#define in_hardirq()			false
#define in_serving_softirq()		false
#define migrate_disable()		do { } while (0)
#define migrate_enable()		do { } while (0)

/* --- other CPUs --- */

struct task_struct;

#define num_online_cpus()		num_possible_cpus()
#define for_each_online_cpu(cpu)	for (cpu = 0; cpu < num_online_cpus(); cpu++)
#define cpus_read_lock()		do { } while (0)
#define cpus_read_unlock()		do { } while (0)
#define queue_work_on(cpu, wq, w)	machine_fail("no CPU %u does work", cpu)
#define kthread_run(fn, data, name)	((void)(fn), machine_fail("no thread runs"), NULL)
#define kthread_should_stop()		true
#define kthread_stop(task)		((void)(task))
#define usleep_range(least, most)	do { } while (0)

#endif
