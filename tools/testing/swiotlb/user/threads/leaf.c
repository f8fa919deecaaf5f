// SPDX-License-Identifier: GPL-2.0
/*
 * The word of a P2M leaf while entries change. One thread writes entries. Another one
 * asks about them after a handover, as a driver does that gets a ballooned page. Other
 * threads make sure that the leaf is read all the time.
 */
#include <sched.h>

#include "threads.h"
#include <asm/xen/p2m-leaf.h>

#define OWNERS		2
#define PAGES		40		/* of an owner: several groups, and parts of them */
#define CHANGES		1000

enum { NOBODY, CHANGED, SEEN };

/**
 * struct owner - pages of the leaf that two threads hand to each other
 * @first:	Number of the first page; the middle one of @PAGES changes.
 * @turn:	Who may use them.
 * @contiguous:	Whether they are contiguous.
 * @writer:	Changes them.
 * @driver:	Asks about them.
 */
static struct owner {
	unsigned long first;
	int turn;
	bool contiguous;
	pthread_t writer, driver;
} owners[OWNERS];

static bool over;

static void wait_for(struct owner *owner, int turn)
{
	/* Pairs with pass(). */
	while (smp_load_acquire(&owner->turn) != turn)
		sched_yield();
}

static void pass(struct owner *owner, int turn)
{
	/* Pairs with wait_for(). */
	smp_store_release(&owner->turn, turn);
}

/* As __set_phys_to_machine() */
static void set_entry(unsigned long pfn, unsigned long mfn)
{
	WRITE_ONCE(xen_p2m_addr[pfn], mfn);
	xen_p2m_leaf_changed(pfn);
}

static void *write_entries(void *arg)
{
	struct owner *owner = arg;
	unsigned long pfn = owner->first + PAGES / 2, mfn = READ_ONCE(xen_p2m_addr[pfn]), i;

	machine_thread_start();
	for (i = 0; i < CHANGES; i++) {
		wait_for(owner, SEEN);
		owner->contiguous = i % 2;
		set_entry(pfn, i % 2 ? mfn : INVALID_P2M_ENTRY);
		pass(owner, CHANGED);
	}
	machine_thread_stop();
	return NULL;
}

static void *ask_for_pages(void *arg)
{
	struct owner *owner = arg;
	unsigned long i;

	machine_thread_start();
	for (i = 0; i < CHANGES; i++) {
		pass(owner, SEEN);
		wait_for(owner, CHANGED);
		EXPECT(dma_machine_contiguous(PFN_PHYS(owner->first), PAGES * PAGE_SIZE) ==
		       owner->contiguous);
		EXPECT(dma_machine_contiguous(PFN_PHYS(owner->first), PAGES / 2 * PAGE_SIZE));
	}
	machine_thread_stop();
	return NULL;
}

/* Ask about all of the leaf, so that it is read. The answer does not matter. */
static void *ask_for_leaf(void *arg)
{
	unsigned long *read = arg;

	machine_thread_start();
	while (!READ_ONCE(over)) {
		__atomic_fetch_add(&machine_ticks, 1, __ATOMIC_RELAXED);
		dma_machine_contiguous(MACHINE_LOW_START, P2M_PER_PAGE * PAGE_SIZE);
		*read += !!(READ_ONCE(xen_p2m_leaves[PHYS_PFN(MACHINE_LOW_START) / P2M_PER_PAGE]) &
			    XEN_P2M_VALID);
		sched_yield();
	}
	machine_thread_stop();
	return NULL;
}

void special_leaf(const struct scenario *scenario, u64 seed)
{
	pthread_t askers[2];
	unsigned long read[2] = { 0, 0 };
	unsigned int i;

	round_boot(scenario, seed);
	WRITE_ONCE(over, false);
	for (i = 0; i < 2; i++)
		round_start(&askers[i], ask_for_leaf, &read[i]);
	for (i = 0; i < OWNERS; i++) {
		owners[i].first = PHYS_PFN(MACHINE_LOW_START) + 5 + 100 * i;
		owners[i].turn = NOBODY;
		round_start(&owners[i].writer, write_entries, &owners[i]);
		round_start(&owners[i].driver, ask_for_pages, &owners[i]);
	}
	for (i = 0; i < OWNERS; i++) {
		round_join(owners[i].writer);
		round_join(owners[i].driver);
	}
	WRITE_ONCE(over, true);
	for (i = 0; i < 2; i++)
		round_join(askers[i]);
	tally.leaves += read[0] + read[1];
	round_check(scenario);
}
