/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A slot set of the software IO TLB, and all operations on its bits.
 *
 * No other file reads or writes the bits. The operations, in the order of a set's life:
 *
 *	set_init()		all of its slots are free
 *	set_take()		an allocation starts
 *	set_take_on()		an allocation of the set before goes on
 *	set_free()		an allocation ends, or its part in this set
 *	set_close()		closes all free slots; set_reopen() undoes that
 *	set_withhold()		closes certain free slots
 *	set_forget()		drops all allocations
 *	set_cut()		the allocation in the last slot ends there
 */
#ifndef _LIB_SWIOTLB_SET_H
#define _LIB_SWIOTLB_SET_H

#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mmdebug.h>
#include <linux/swiotlb.h>
#include <linux/types.h>

#include "swiotlb_area.h"

/**
 * DOC: swiotlb slot sets
 *
 * A slot set is 128 slots that are contiguous for devices. It has two bits for each
 * slot, in two maps::
 *
 *   slot     0                                                       127
 *   free     0 0 0 0 1 1 0 0 0 1 1 1 ...   the slot is not in use
 *   first    1 0 0 1 0 0 1 1 0 0 0 0 ...   an allocation starts in the slot
 *            \___/ |     | \_/
 *            3 slots 1   1  2              four allocations
 *
 * An allocation ends before the next slot that is free or the first of another
 * allocation. So neither its length nor its padding is stored. No slot is both free and
 * first.
 *
 * An allocation of more than a set takes slots of several sets whose machine addresses
 * are adjacent. @goes_on marks all of them but the last::
 *
 *   set            4             5             6
 *   in use    . . . x x x | x x x x x x | x x . . . .
 *   first           1     |             |
 *   goes_on       yes     |     yes     |     no
 *
 * A closed slot looks like an allocation of one slot, so that no search takes it. Slots
 * behind the end of a pool are closed too.
 *
 * The area's lock protects the bits. The owner of an allocation may look for its first
 * slot without the lock: the bits of its own slots do not change meanwhile.
 */

/**
 * struct io_tlb_set - 128 slots that are contiguous by machine address
 * @free:	Map of the slots that are not in use.
 * @first:	Map of the slots in which an allocation starts, and of closed ones.
 * @maddr:	Machine address of slot 0. All ones if the set was lost when the guest
 *		was restored.
 * @area:	The area that it belongs to.
 * @goes_on:	The allocation in the last slot goes on in the next set.
 * @made:	How many sets, from this one to the end of its extent, the backend has
 *		made contiguous. 0 if they were contiguous before: then there is nothing
 *		to undo.
 *
 * 64 bytes: a shift finds it, and mostly it is one cache line.
 */
struct io_tlb_set {
	u64 free[2];
	u64 first[2];
	phys_addr_t maddr;
	struct io_tlb_area *area;
	bool goes_on;
	u8 made;
} __aligned(64);

static_assert(IO_TLB_SEGSIZE == 128, "a set's maps are two 64-bit words");
static_assert(sizeof(struct io_tlb_set) == 64);

/* @n bits from bit 0, where @n is 1 to 64 */
static inline u64 low_bits(unsigned int n)
{
	VM_WARN_ON_ONCE(n < 1 || n > 64);
	return (2ULL << (n - 1)) - 1;
}

/* The bits of word @word that slots @from to before @to of a set have */
static inline u64 slot_bits(unsigned int word, unsigned int from, unsigned int to)
{
	unsigned int begin = max(from, word * 64), end = min(to, word * 64 + 64);

	if (begin >= end)
		return 0;
	return low_bits(end - begin) << (begin - word * 64);
}

/*
 * The first @present slots are free. The others do not exist: they are closed.
 */
static inline void set_init(struct io_tlb_set *set, unsigned int present)
{
	unsigned int word;

	VM_WARN_ON_ONCE(present > IO_TLB_SEGSIZE);
	for (word = 0; word < 2; word++) {
		set->free[word] = slot_bits(word, 0, present);
		set->first[word] = ~set->free[word];
	}
}

/*
 * Reading. The caller holds the area's lock, if nothing else is said.
 */

/* Word @word of the map of free slots */
static inline u64 set_free_slots(const struct io_tlb_set *set, unsigned int word)
{
	return set->free[word];
}

static inline unsigned int set_nr_free(const struct io_tlb_set *set)
{
	return hweight64(set->free[0]) + hweight64(set->free[1]);
}

static inline bool set_all_free(const struct io_tlb_set *set, unsigned int from,
				unsigned int to)
{
	lockdep_assert_held(&set->area->lock);
	return !(slot_bits(0, from, to) & ~set->free[0]) &&
		!(slot_bits(1, from, to) & ~set->free[1]);
}

/* How many slots from slot 0 on are free. Without the lock the answer is a guess. */
static inline unsigned int set_free_at_start(const struct io_tlb_set *set)
{
	u64 used = ~READ_ONCE(set->free[0]);

	if (used)
		return __ffs64(used);
	used = ~READ_ONCE(set->free[1]);
	return used ? 64 + __ffs64(used) : IO_TLB_SEGSIZE;
}

/* How many slots at the end are free. Without the lock the answer is a guess. */
static inline unsigned int set_free_at_end(const struct io_tlb_set *set)
{
	u64 used = ~READ_ONCE(set->free[1]);

	if (used)
		return 64 - fls64(used);
	used = ~READ_ONCE(set->free[0]);
	return IO_TLB_SEGSIZE - fls64(used);
}

/* Is the slot free? Needs no lock if the caller owns the slot. */
static inline bool set_is_free(const struct io_tlb_set *set, unsigned int slot)
{
	return READ_ONCE(set->free[slot / 64]) & BIT_ULL(slot % 64);
}

/* Does an allocation start in the slot? */
static inline bool set_is_first(const struct io_tlb_set *set, unsigned int slot)
{
	lockdep_assert_held(&set->area->lock);
	return set->first[slot / 64] & BIT_ULL(slot % 64);
}

/*
 * The last slot up to @index in which an allocation starts. @index is the index in the
 * pool of a slot of the set. If that slot is in use, its allocation starts in the result.
 * Needs no lock if the caller owns the slot.
 *
 * Return: The index, or -1 if there is none in the set.
 */
static inline int set_last_first(const struct io_tlb_set *set, unsigned int index)
{
	unsigned int word = index / 64 % 2;
	u64 first = READ_ONCE(set->first[word]) << (63 - index % 64);

	if (first)
		return index - 64 + fls64(first);
	first = word ? READ_ONCE(set->first[0]) : 0;
	return first ? (index & -IO_TLB_SEGSIZE) + fls64(first) - 1 : -1;
}

/* Does the allocation in the last slot go on in the next set? As above */
static inline bool set_goes_on(const struct io_tlb_set *set)
{
	return READ_ONCE(set->goes_on);
}

/*
 * Writing. The caller holds the area's lock. Others read at the same time: each word is
 * written once, and has no intermediate value.
 */

static __always_inline void set_write_free(struct io_tlb_set *set, unsigned int word, u64 free)
{
	lockdep_assert_held(&set->area->lock);
	WRITE_ONCE(set->free[word], free);
}

static __always_inline void set_write_first(struct io_tlb_set *set, unsigned int word,
					    u64 first)
{
	lockdep_assert_held(&set->area->lock);
	WRITE_ONCE(set->first[word], first);
}

/* Take @n slots of one word for an allocation that starts in its bit @bit. */
static __always_inline void set_take_in_word(struct io_tlb_set *set, unsigned int word,
					     unsigned int bit, unsigned int n)
{
	VM_WARN_ON_ONCE(low_bits(n) << bit & ~set->free[word]);
	set_write_free(set, word, set->free[word] & ~(low_bits(n) << bit));
	set_write_first(set, word, set->first[word] | BIT_ULL(bit));
}

/* Take @n slots for an allocation that starts in @slot. */
static inline void set_take(struct io_tlb_set *set, unsigned int slot, unsigned int n)
{
	unsigned int word = slot / 64, bit = slot % 64, here = min(n, 64 - bit);

	set_take_in_word(set, word, bit, here);
	if (here < n)
		set_write_free(set, 1, set->free[1] & ~low_bits(n - here));
}

/* Take the first @n slots for the allocation that the last slot of the set before is in. */
static inline void set_take_on(struct io_tlb_set *set, unsigned int n)
{
	set_write_free(set, 0, set->free[0] & ~slot_bits(0, 0, n));
	set_write_free(set, 1, set->free[1] & ~slot_bits(1, 0, n));
}

/* The allocation in the last slot goes on in the next set. */
static inline void set_go_on(struct io_tlb_set *set)
{
	lockdep_assert_held(&set->area->lock);
	WRITE_ONCE(set->goes_on, true);
}

/* The allocation in the last slot, if any, ends there. */
static inline void set_cut(struct io_tlb_set *set)
{
	lockdep_assert_held(&set->area->lock);
	WRITE_ONCE(set->goes_on, false);
}

/* Free @n slots of one word, which an allocation has from its bit @bit on. */
static __always_inline void set_free_bits(struct io_tlb_set *set, unsigned int word,
					  unsigned int bit, unsigned int n)
{
	VM_WARN_ON_ONCE(low_bits(n) << bit & set->free[word]);
	set_write_first(set, word, set->first[word] & ~BIT_ULL(bit));
	set_write_free(set, word, set->free[word] | low_bits(n) << bit);
}

/*
 * The bits of a word behind @bit at which the allocation of @bit may end: slots that are
 * free or first. It ends at the lowest of them.
 */
static __always_inline u64 set_ends(const struct io_tlb_set *set, unsigned int word,
				    unsigned int bit)
{
	VM_WARN_ON_ONCE(set->free[word] & set->first[word]);
	return (set->free[word] | set->first[word]) & (~1ULL << bit);
}

/*
 * Free the allocation that starts in @slot if it ends in the same word, as most do.
 *
 * Return: How many slots. 0, and nothing is freed, if no allocation starts there, or if
 * it does not end in the word.
 */
static __always_inline unsigned int set_free_in_word(struct io_tlb_set *set,
						     unsigned int slot)
{
	unsigned int word = slot / 64, bit = slot % 64, n;
	u64 ends;

	if (unlikely(!(set->first[word] & BIT_ULL(bit))))
		return 0;
	ends = set_ends(set, word, bit);
	if (unlikely(!ends))
		return 0;
	n = __ffs64(ends) - bit;
	set_free_bits(set, word, bit, n);
	return n;
}

/* set_free() for an allocation that does not end in the word of @slot */
static inline unsigned int set_free_across(struct io_tlb_set *set, unsigned int slot,
					   bool *goes_on)
{
	unsigned int word = slot / 64, end = IO_TLB_SEGSIZE;
	u64 ends = word ? 0 : set->free[1] | set->first[1];

	if (ends)
		end = 64 + __ffs64(ends);
	set_write_first(set, word, set->first[word] & ~BIT_ULL(slot % 64));
	set_write_free(set, word, set->free[word] | U64_MAX << slot % 64);
	if (!word && end > 64)
		set_write_free(set, 1, set->free[1] | low_bits(end - 64));

	/* If it ends before, it is another allocation that goes on. */
	*goes_on = end == IO_TLB_SEGSIZE && set->goes_on;
	if (*goes_on)
		set_cut(set);
	return end - slot;
}

/*
 * Free the part of an allocation that is in this set. @slot is its first slot, or 0 if
 * it starts in a set before. Stores in @goes_on whether it goes on in the next set.
 *
 * Return: How many slots.
 */
static inline unsigned int set_free(struct io_tlb_set *set, unsigned int slot, bool *goes_on)
{
	unsigned int word = slot / 64, bit = slot % 64, n;
	u64 ends = set_ends(set, word, bit);

	if (!ends)
		return set_free_across(set, slot, goes_on);
	n = __ffs64(ends) - bit;
	set_free_bits(set, word, bit, n);
	*goes_on = false;
	return n;
}

/* Close the slots that are free. */
static inline void set_close(struct io_tlb_set *set)
{
	unsigned int word;

	for (word = 0; word < 2; word++) {
		set_write_first(set, word, set->first[word] | set->free[word]);
		set_write_free(set, word, 0);
	}
}

/* Free the slots that are closed. There is no allocation in the set. */
static inline void set_reopen(struct io_tlb_set *set)
{
	unsigned int word;

	for (word = 0; word < 2; word++) {
		set_write_free(set, word, set->free[word] | set->first[word]);
		set_write_first(set, word, 0);
	}
}

/*
 * Close those slots of the map @slots that are free.
 *
 * Return: How many.
 */
static inline unsigned int set_withhold(struct io_tlb_set *set, const u64 slots[2])
{
	unsigned int word, n = 0;
	u64 closed;

	for (word = 0; word < 2; word++) {
		closed = set->free[word] & slots[word];
		set_write_free(set, word, set->free[word] & ~closed);
		set_write_first(set, word, set->first[word] | closed);
		n += hweight64(closed);
	}
	return n;
}

/* All slots are free, whatever they were. */
static inline void set_forget(struct io_tlb_set *set)
{
	unsigned int word;

	for (word = 0; word < 2; word++) {
		set_write_free(set, word, U64_MAX);
		set_write_first(set, word, 0);
	}
	set_cut(set);
}

#endif /* _LIB_SWIOTLB_SET_H */
