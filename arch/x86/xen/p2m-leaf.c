// SPDX-License-Identifier: GPL-2.0
/*
 * Which pages of a PV guest are contiguous in machine memory.
 *
 * A device sees machine frames, so each mapping of more than a page has to find out
 * whether the frames of its pages follow on each other. The P2M table has an entry for
 * each page. Most entries follow on each other: Xen builds domains from large extents,
 * and ballooning and exchanges take single pages from them. So one word for each leaf
 * remembers what the entries say. A leaf is a page of the table: the entries of 2 MiB.
 * <asm/xen/p2m-leaf.h> explains the bits of the word. If they do not say that pages are
 * contiguous, the entries of these pages are read.
 *
 * A writer of an entry then makes the word UNKNOWN. A reader that finds the word UNKNOWN
 * reads the leaf once:
 *
 *	writer					reader, one at a time
 *
 *	entry = mfn				word = READING
 *	(x86 keeps the order of stores)		smp_store_mb()
 *	word = UNKNOWN				read all entries
 *						if word is still READING
 *							word = what was found
 *
 * If the reader has read an old entry, the writer's first store was not visible then.
 * So the second store comes after READING. If it comes before the comparison, the
 * comparison fails; if it comes after, it overwrites what the reader has stored. There
 * is only one reader at a time, because a reader cannot tell its own READING from that
 * of another reader.
 *
 * So a word is wrong only between a writer's two stores, and only about the entry that
 * is being written. No driver can map that page then: the kernel is giving it away or
 * getting it. When a driver gets the page, both stores are done, and the driver reads
 * that UNKNOWN or a later word. If a later word is valid, READING was stored after the
 * UNKNOWN and before the reader read the new entry. Entries of other pages may change
 * at any time: what the word says about the driver's own pages remains true.
 *
 * Once there are words, only __set_phys_to_machine() writes entries.
 * xen_alloc_p2m_entry() replaces a leaf, but only one without frames of our own, and by
 * one that means the same. Save and restore replaces all frames without telling us, so
 * the kernel calls xen_p2m_leaves_forget() after it.
 */
#include <linux/bitops.h>
#include <linux/cache.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/memblock.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>

#include <asm/cmpxchg.h>
#include <asm/xen/p2m-leaf.h>
#include <asm/xen/page.h>

/* Limits how often leaves are read that keep changing. */
#define READINGS_A_TICK	4

unsigned long *xen_p2m_leaves __read_mostly;
EXPORT_SYMBOL_GPL(xen_p2m_leaves);
unsigned long xen_p2m_nr_leaves __read_mostly;
EXPORT_SYMBOL_GPL(xen_p2m_nr_leaves);

/* Bit 0 is a lock: set while a leaf is being read. Nobody waits for it, so interrupts may try. */
static unsigned long reader;

/* Are the entries @mfn, @mfn + 1, and so on? */
static bool entries_follow(const unsigned long *entry, unsigned long nr,
			   unsigned long mfn)
{
	/* Four at a time, with one pair of additions */
	for (; nr >= 4; nr -= 4, entry += 4, mfn += 4)
		if (READ_ONCE(entry[0]) != mfn ||
		    READ_ONCE(entry[1]) != mfn + 1 ||
		    READ_ONCE(entry[2]) != mfn + 2 ||
		    READ_ONCE(entry[3]) != mfn + 3)
			return false;
	for (; nr; nr--, entry++, mfn++)
		if (READ_ONCE(*entry) != mfn)
			return false;
	return true;
}

static unsigned long read_leaf(const unsigned long *entry)
{
	unsigned long found = XEN_P2M_VALID, first, before = 0, i;

	for (i = 0; i < XEN_P2M_GROUPS; i++, entry += XEN_P2M_GROUP) {
		first = READ_ONCE(*entry);
		if (i && first == before + 1)
			found |= BIT(XEN_P2M_GROUPS + i);
		before = READ_ONCE(entry[XEN_P2M_GROUP - 1]);

		if (!(first & (FOREIGN_FRAME_BIT | IDENTITY_FRAME_BIT)) &&
		    entries_follow(entry, XEN_P2M_GROUP, first))
			found |= BIT(i);
	}
	return found;
}

/* Read a leaf, unless one is being read already, or enough were read in this tick */
static noinline void learn(unsigned long leaf)
{
	static unsigned long tick = INITIAL_JIFFIES;
	static unsigned int readings;
	unsigned long *word = &xen_p2m_leaves[leaf], found;

	if (test_and_set_bit_lock(0, &reader))
		return;
	if (time_after(jiffies, tick)) {
		tick = jiffies;
		readings = 0;
	}
	if (readings < READINGS_A_TICK) {
		readings++;
		/* The entries are read after this. Pairs with xen_p2m_leaf_changed(). */
		smp_store_mb(*word, XEN_P2M_READING);
		found = read_leaf(xen_p2m_addr + leaf * P2M_PER_PAGE);
		cmpxchg(word, XEN_P2M_READING, found);
	}
	clear_bit_unlock(0, &reader);
}

/* Uses __pfn_to_mfn(), because some identity frames cannot be told from the entry alone */
static bool frames_follow(unsigned long pfn, unsigned long nr)
{
	unsigned long mfn = __pfn_to_mfn(pfn);

	if (mfn == INVALID_P2M_ENTRY)
		return false;
	while (--nr)
		if (__pfn_to_mfn(++pfn) != ++mfn)
			return false;
	return true;
}

static bool contiguous_in_leaf(unsigned long pfn, unsigned long nr)
{
	unsigned long leaf = pfn / P2M_PER_PAGE, mfn;

	if (leaf >= READ_ONCE(xen_p2m_nr_leaves))
		return frames_follow(pfn, nr);

	if (READ_ONCE(READ_ONCE(xen_p2m_leaves)[leaf]) == XEN_P2M_UNKNOWN)
		learn(leaf);
	if (xen_p2m_remembered(pfn, nr))
		return true;

	mfn = READ_ONCE(xen_p2m_addr[pfn]);
	if (mfn & IDENTITY_FRAME_BIT)
		return frames_follow(pfn, nr);
	return entries_follow(xen_p2m_addr + pfn, nr, mfn);
}

/**
 * xen_p2m_contiguous() - do the frames of some pages follow on each other?
 * @pfn:	Number of the first page.
 * @nr:		How many, one at least.
 *
 * There are our own frames, frames of other domains, and identity frames. Pages with
 * frames of different sorts are not contiguous, nor are pages without a frame.
 *
 * Nobody may replace the frames of these very pages meanwhile.
 *
 * Context: Any.
 * Return: %true if they do.
 */
bool xen_p2m_contiguous(unsigned long pfn, unsigned long nr)
{
	unsigned long end = pfn + nr;
	unsigned long part = min(nr, P2M_PER_PAGE - pfn % P2M_PER_PAGE);

	while (contiguous_in_leaf(pfn, part)) {
		pfn += part;
		if (pfn == end)
			return true;
		if (__pfn_to_mfn(pfn) != __pfn_to_mfn(pfn - 1) + 1)
			return false;
		part = min(end - pfn, P2M_PER_PAGE);
	}
	return false;
}

/**
 * xen_p2m_leaves_forget() - the whole table has been written
 *
 * Context: Any, after the last write. Nobody may use an old frame any more.
 */
void xen_p2m_leaves_forget(void)
{
	memset(xen_p2m_leaves, 0, xen_p2m_nr_leaves * sizeof(*xen_p2m_leaves));
}

static void say_slower(void)
{
	pr_warn("xen: no memory to remember what is contiguous: large DMA mappings will be slower\n");
}

/**
 * xen_p2m_leaves_init() - remember from now on
 *
 * Allocates one word for each leaf that the table has room for, including leaves of
 * memory that may be added later. Without the words, every check reads entries.
 *
 * Context: Boot, one CPU, while memblock works; the table has got its final place
 * and size.
 */
void __init xen_p2m_leaves_init(void)
{
	unsigned long nr = xen_p2m_size / P2M_PER_PAGE;

	xen_p2m_leaves = memblock_alloc(nr * sizeof(*xen_p2m_leaves),
					SMP_CACHE_BYTES);
	if (xen_p2m_leaves)
		xen_p2m_nr_leaves = nr;
	else
		say_slower();
}

/**
 * xen_p2m_leaves_init_late() - remember from now on, though boot is over
 *
 * Does nothing if there are words already. Entries may be written meanwhile. A writer
 * that has seen no words makes none UNKNOWN, and its entry may not be visible yet. So
 * no leaf is read until each CPU has handled an interrupt, which is a full barrier.
 *
 * Context: May sleep. One caller at a time.
 */
void xen_p2m_leaves_init_late(void)
{
	unsigned long nr = xen_p2m_size / P2M_PER_PAGE;
	unsigned long *leaves;

	if (xen_p2m_nr_leaves)
		return;

	leaves = kvcalloc(nr, sizeof(*leaves), GFP_KERNEL);
	if (!leaves) {
		say_slower();
		return;
	}

	/* Take the lock. It is free: no leaf is read before there are words. */
	WRITE_ONCE(reader, BIT(0));
	WRITE_ONCE(xen_p2m_leaves, leaves);
	/* Pairs with readers: they read the number before the pointer. */
	smp_store_release(&xen_p2m_nr_leaves, nr);
	kick_all_cpus_sync();
	clear_bit_unlock(0, &reader);
}
