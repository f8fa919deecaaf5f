/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Atomic numbers. The including file defines READ_ONCE() and WRITE_ONCE() first.
 */
#ifndef _SHIM_ATOMICS_H
#define _SHIM_ATOMICS_H

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	long counter;
} atomic_long_t;

#define ATOMIC_LONG_INIT(i)	{ (i) }
#define atomic_long_read(v)	READ_ONCE((v)->counter)
#define atomic_long_set(v, i)	WRITE_ONCE((v)->counter, i)
#define atomic_long_add(i, v)	((void)__atomic_fetch_add(&(v)->counter, i, __ATOMIC_RELAXED))
#define atomic_long_sub(i, v)	((void)__atomic_fetch_sub(&(v)->counter, i, __ATOMIC_RELAXED))
#define atomic_long_add_return(i, v) __atomic_add_fetch(&(v)->counter, i, __ATOMIC_SEQ_CST)

#define xchg(p, v)		__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)

#define test_bit(bit, word)	(READ_ONCE(*(word)) >> (bit) & 1)
#define set_bit(bit, word)	\
	((void)__atomic_fetch_or(word, 1UL << (bit), __ATOMIC_RELAXED))
#define __ffs(word)		((unsigned int)__builtin_ctzl(word))

static inline bool atomic_long_try_cmpxchg(atomic_long_t *v, long *old, long new)
{
	return __atomic_compare_exchange_n(&v->counter, old, new, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

#endif
