/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contiguity of the P2M table, remembered a leaf at a time.
 * See arch/x86/xen/p2m-leaf.c for how, and for why it can be relied on.
 */
#ifndef _ASM_X86_XEN_P2M_LEAF_H
#define _ASM_X86_XEN_P2M_LEAF_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/pfn.h>
#include <linux/types.h>

#include <asm/barrier.h>
#include <asm/xen/page.h>

/*
 * A leaf is a page of the table. Its word has two bits for each group of entries:
 * in the lower half, whether they are frames of our own that follow on each other;
 * in the upper half, whether the first one follows on the last one of the group
 * before. No group is before the first one, so there its bit says that the word is
 * valid.
 */
#define XEN_P2M_GROUPS	(BITS_PER_LONG / 2)
#define XEN_P2M_GROUP	(P2M_PER_PAGE / XEN_P2M_GROUPS)	/* entries: 64 KiB */

/* Nothing is known since the last change of the leaf */
#define XEN_P2M_UNKNOWN	0UL
/* The leaf is being read, and has not changed since. Promises nothing either. */
#define XEN_P2M_READING	BIT(XEN_P2M_GROUPS + 1)
#define XEN_P2M_VALID	BIT(XEN_P2M_GROUPS)

/* The number is read first: words that appear late are written before it. */
extern unsigned long *xen_p2m_leaves;
extern unsigned long xen_p2m_nr_leaves;

void xen_p2m_leaves_init(void);
void xen_p2m_leaves_init_late(void);
void xen_p2m_leaves_forget(void);
bool xen_p2m_contiguous(unsigned long pfn, unsigned long nr);

/**
 * xen_p2m_remembered() - are pages known to be contiguous?
 * @pfn:	Number of the first page; may be anything.
 * @nr:		How many, one at least.
 *
 * Context: Any.
 * Return: %true if they are in one leaf, and known to be contiguous. Else ask
 * xen_p2m_contiguous().
 */
static __always_inline bool xen_p2m_remembered(unsigned long pfn,
					       unsigned long nr)
{
	unsigned long leaf = pfn / P2M_PER_PAGE, last = pfn + nr - 1;
	unsigned long groups, needed;

	if (leaf != last / P2M_PER_PAGE ||
	    leaf >= READ_ONCE(xen_p2m_nr_leaves))
		return false;

	groups = (2UL << (last % P2M_PER_PAGE / XEN_P2M_GROUP)) -
		(1UL << (pfn % P2M_PER_PAGE / XEN_P2M_GROUP));
	/* The first of them need not follow on the one before. */
	needed = groups | (groups & (groups - 1)) << XEN_P2M_GROUPS;
	return !(needed & ~READ_ONCE(READ_ONCE(xen_p2m_leaves)[leaf]));
}

/**
 * xen_p2m_leaf_changed() - an entry of the table has been written
 * @pfn:	Its number.
 *
 * Has to follow every write. Costs a comparison and a store.
 *
 * Context: Any.
 */
static inline void xen_p2m_leaf_changed(unsigned long pfn)
{
	unsigned long leaf = pfn / P2M_PER_PAGE;

	if (leaf >= READ_ONCE(xen_p2m_nr_leaves))
		return;
	/* After the entry. Pairs with smp_store_mb() in learn(). */
	smp_store_release(&READ_ONCE(xen_p2m_leaves)[leaf], XEN_P2M_UNKNOWN);
}

#endif /* _ASM_X86_XEN_P2M_LEAF_H */
