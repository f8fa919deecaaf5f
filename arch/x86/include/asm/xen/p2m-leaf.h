/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One word for each leaf of the P2M table: which of its pages are contiguous.
 * arch/x86/xen/p2m-leaf.c explains how a word changes, and why it can be relied on.
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
 * A leaf is a page of the table. Its word has two bits for each group of entries. The
 * bit in the lower half says that the entries are our own frames and follow on each
 * other. The bit in the upper half says that the first entry follows on the last entry
 * of the group before. The first group has no group before it; its upper bit says that
 * the word is valid.
 */
#define XEN_P2M_GROUPS	(BITS_PER_LONG / 2)
#define XEN_P2M_GROUP	(P2M_PER_PAGE / XEN_P2M_GROUPS)	/* entries: 64 KiB */

/* The leaf has not been read since it was last changed. */
#define XEN_P2M_UNKNOWN	0UL
/* The leaf is being read, and has not changed meanwhile. No page is known to be contiguous. */
#define XEN_P2M_READING	BIT(XEN_P2M_GROUPS + 1)
#define XEN_P2M_VALID	BIT(XEN_P2M_GROUPS)

/* Read the number first: xen_p2m_leaves_init_late() writes it last. */
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
	/* The first group need not follow on the group before it. */
	needed = groups | (groups & (groups - 1)) << XEN_P2M_GROUPS;
	return !(needed & ~READ_ONCE(READ_ONCE(xen_p2m_leaves)[leaf]));
}

/**
 * xen_p2m_leaf_changed() - an entry of the table has been written
 * @pfn:	Its number.
 *
 * Call it after every write of an entry. It costs a comparison and a store.
 *
 * Context: Any.
 */
static inline void xen_p2m_leaf_changed(unsigned long pfn)
{
	unsigned long leaf = pfn / P2M_PER_PAGE;

	if (leaf >= READ_ONCE(xen_p2m_nr_leaves))
		return;
	/* The entry was written before this. Pairs with smp_store_mb() in learn(). */
	smp_store_release(&READ_ONCE(xen_p2m_leaves)[leaf], XEN_P2M_UNKNOWN);
}

#endif /* _ASM_X86_XEN_P2M_LEAF_H */
