/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Locks, barriers and address arithmetic as in an x86 kernel without contention and
 * without debugging. Memory comes from machine.c and is never freed, because a run is
 * short.
 *
 * Turning interrupts off and on costs nothing here, on both sides.
 */
#ifndef _SHIM_LEAN_H
#define _SHIM_LEAN_H

/* --- memory order --- */

#define READ_ONCE(x)		(*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile typeof(x) *)&(x) = (v))
#define smp_mb()		__asm__ volatile("lock; addl $0,-4(%%rsp)" ::: "memory", "cc")
/* A lock is a full barrier on the machines that run this. */
#define smp_mb__after_spinlock() barrier()
#define smp_rmb()		barrier()
#define smp_wmb()		barrier()
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define cpu_relax()		__builtin_ia32_pause()

#include "atomics.h"

#define count_list_step()	((void)0)

/* --- locks: one atomic operation takes a lock, a plain store releases it --- */

typedef struct {
	int locked;
} spinlock_t;

/*
 * Programs with WATCH_LOCKS count locks, remember the last ones, and see when interrupts
 * are off: see count.c.
 */
#define MACHINE_LOCKS		512
extern unsigned long machine_locks;
extern const spinlock_t *machine_last_locks[MACHINE_LOCKS];
void machine_irqs_off(void);
void machine_irqs_on(void);

#ifdef WATCH_LOCKS
#define watch_lock(l)		(machine_last_locks[machine_locks++ % MACHINE_LOCKS] = (l))
#define watch_irqs_off()	machine_irqs_off()
#define watch_irqs_on()		machine_irqs_on()
#else
#define watch_lock(l)		((void)(l))
#define watch_irqs_off()	do { } while (0)
#define watch_irqs_on()		do { } while (0)
#endif

#define __SPIN_LOCK_UNLOCKED(x)	{ 0 }
#define spin_lock_init(l)	((l)->locked = 0)

void machine_spin_wait(spinlock_t *lock);

static __always_inline void spin_lock(spinlock_t *lock)
{
	int unlocked = 0;

	watch_lock(lock);
	if (unlikely(!__atomic_compare_exchange_n(&lock->locked, &unlocked, 1, false,
						  __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)))
		machine_spin_wait(lock);
}

static __always_inline bool spin_trylock(spinlock_t *lock)
{
	int unlocked = 0;

	return !READ_ONCE(lock->locked) &&
		__atomic_compare_exchange_n(&lock->locked, &unlocked, 1, false,
					    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static __always_inline void spin_unlock(spinlock_t *lock)
{
	smp_store_release(&lock->locked, 0);
}

#define local_irq_save(f)		((f) = 0)
#define local_irq_restore(f)		((void)(f))
#define spin_lock_irq(l)		do { watch_irqs_off(); spin_lock(l); } while (0)
#define spin_unlock_irq(l)		do { spin_unlock(l); watch_irqs_on(); } while (0)
#define spin_lock_irqsave(l, f)		do { (f) = 0; spin_lock_irq(l); } while (0)
#define spin_trylock_irqsave(l, f)	((f) = 0, spin_trylock(l))
#define spin_unlock_irqrestore(l, f)	do { (void)(f); spin_unlock_irq(l); } while (0)
#define might_sleep()			do { } while (0)
#define might_sleep_if(c)		((void)(c))
#define lockdep_assert_held(l)		((void)(l))
#define VM_WARN_ON_ONCE(c)		((void)sizeof(!!(c)))

extern __thread unsigned int machine_cpu;

#define raw_smp_processor_id()		machine_cpu
#define num_possible_cpus()		2U

/* --- RCU and work: set-up is single-threaded, and calls the worker itself --- */

struct rcu_head {
	struct rcu_head *next;
};

struct work_struct {
	void (*func)(struct work_struct *work);
};

#define rcu_read_lock()			barrier()
#define rcu_read_unlock()		barrier()
#define rcu_dereference(p)		READ_ONCE(p)
#define rcu_dereference_protected(p, c)	(p)
#define call_rcu(head, func)		((void)(head), (void)(func))
#define kfree_rcu(p, member)		((void)(p))

struct mutex { };

#define schedule_work(w)		((void)(w))
#define queue_work(wq, w)		((void)(w))
#define queue_delayed_work(wq, w, d)	((void)(w))
#define synchronize_rcu()		barrier()
#define __MUTEX_INITIALIZER(m)		{ }
#define mutex_init(m)			((void)(m))
#define mutex_lock(m)			((void)(m))
#define mutex_unlock(m)			((void)(m))
#define jiffies				0UL

/* --- messages: errors and warnings are shown; there are none on paths that are timed --- */

void machine_say(const char *text) __cold;

#define pr_info(fmt, ...)		do { if (0) printf(fmt, ##__VA_ARGS__); } while (0)
#define machine_say_args(fmt, ...)	do { pr_info(fmt, ##__VA_ARGS__); machine_say(fmt); } while (0)
#define machine_say_once(fmt, ...)	\
	do { static bool said; if (!said) { said = true; machine_say_args(fmt, ##__VA_ARGS__); } } while (0)
#define pr_err				machine_say_args
#define pr_warn				machine_say_args
#define pr_warn_once			machine_say_once
#define pr_warn_ratelimited		machine_say_once
#define dev_err(dev, ...)		machine_say_args(__VA_ARGS__)
#define dev_warn_ratelimited(dev, ...)	machine_say_once(__VA_ARGS__)
#define dev_WARN_ONCE(dev, c, ...)	do { if (unlikely(c)) machine_say_once(__VA_ARGS__); } while (0)
#define WARN_ON_ONCE(c)			\
	({ bool _c = !!(c); if (unlikely(_c)) machine_say_once(#c "\n"); _c; })
#define WARN_ON				WARN_ON_ONCE
#define BUG_ON(c)			do { if (unlikely(c)) __builtin_trap(); } while (0)

/* --- memory: physical address 0 is at MACHINE_BASE --- */

#define MACHINE_BASE		0x800000000UL
#define MACHINE_BYTES		(3UL << 30)

struct page {
	unsigned long words[8];
};

#define MACHINE_PAGES		((struct page *)0xf00000000UL)

#define phys_to_virt(p)		((void *)((p) + MACHINE_BASE))
#define virt_to_phys(v)		((phys_addr_t)(v) - MACHINE_BASE)
#define __va			phys_to_virt
#define __pa			virt_to_phys
#define pfn_to_page(pfn)	(MACHINE_PAGES + (pfn))
#define page_to_pfn(page)	((unsigned long)((page) - MACHINE_PAGES))
#define PageHighMem(page)	((void)(page), false)
#define high_memory		phys_to_virt(MACHINE_BYTES)
#define max_pfn			PHYS_PFN(MACHINE_BYTES)
#define totalram_pages()	max_pfn

void memcpy_from_page(char *to, struct page *page, size_t offset, size_t len);
void memcpy_to_page(struct page *page, size_t offset, const char *from, size_t len);

void *machine_alloc(size_t size);

#define memblock_alloc(size, align)	machine_alloc(size)
#define memblock_alloc_low(size, align)	machine_alloc(size)
#define memblock_free(v, size)		((void)(v), (void)(size))
#define memblock_free_late(p, size)	((void)(p), (void)(size))
#define kmalloc(size, gfp)		machine_alloc(size)
#define kzalloc				kmalloc
#define kvzalloc			kzalloc
#define kcalloc(n, size, gfp)		machine_alloc((n) * (size))
#define kfree(p)			((void)(p))
#define __get_free_pages(gfp, order)	((unsigned long)machine_alloc(PAGE_SIZE << (order)))
#define free_pages(v, order)		((void)(v), (void)(order))
#define alloc_pages(gfp, order)		virt_to_page(machine_alloc(PAGE_SIZE << (order)))
#define __free_pages(page, order)	((void)(page))

static inline int set_memory_encrypted(unsigned long vaddr, int nr_pages)
{
	return 0;
}

static inline int set_memory_decrypted(unsigned long vaddr, int nr_pages)
{
	return 0;
}

/* --- the copy, see Makefile --- */

static __always_inline void machine_copy_movsb(void *to, const void *from, size_t size)
{
	__asm__ volatile("rep movsb" : "+D" (to), "+S" (from), "+c" (size) : : "memory");
}

static __always_inline void machine_copy_stub(void *to, const void *from, size_t size)
{
	__asm__ volatile("" : : "r" (to), "r" (from), "r" (size) : "memory");
}

#ifdef COPY
#define memcpy			COPY
#endif

/* --- devices --- */

struct bus_dma_region;
struct io_tlb_mem;

struct device_dma_parameters {
	unsigned int min_align_mask;
	unsigned long segment_boundary;
};

struct device {
	u64 *dma_mask;
	u64 coherent_dma_mask;
	u64 bus_dma_limit;
	const struct bus_dma_region *dma_range_map;
	struct device_dma_parameters *dma_parms;
	struct io_tlb_mem *dma_io_tlb_mem;
	struct list_head dma_io_tlb_pools;
	spinlock_t dma_io_tlb_lock;
	bool dma_uses_io_tlb;
	bool dma_coherent;
	bool dma_skip_sync;
};

#define dma_get_min_align_mask(dev)	((dev)->dma_parms->min_align_mask)
#define dma_get_seg_boundary(dev)	((dev)->dma_parms->segment_boundary)
#define dma_get_mask(dev)		(*(dev)->dma_mask)
#define use_dma_iommu(dev)		false
#define dev_is_dma_coherent(dev)	((dev)->dma_coherent)

static inline void dma_reset_need_sync(struct device *dev)
{
	if (unlikely(dev->dma_skip_sync))
		dev->dma_skip_sync = false;
}

#define dma_coherent_ok			NULL
#define dma_alloc_from_pool(...)	NULL
#define dma_free_from_pool(...)		false

#define kmsan_unpoison_memory(addr, size)	do { } while (0)
#define arch_sync_dma_for_device(phys, size, dir)	do { } while (0)
#define arch_sync_dma_flush()		do { } while (0)
#define dma_addr_unencrypted(dma)	(dma)
#define dma_addr_encrypted(dma)		(dma)
#define __sme_set(x)			(x)
#define __sme_clr(x)			(x)
#define memblock_phys_free(p, size)	((void)(p), (void)(size))

/* What kernel/dma/direct.h asks for besides */
#define is_pci_p2pdma_page(page)	false
#define dma_kmalloc_needs_bounce(...)	false
#define arch_sync_dma_for_cpu(p, size, dir) ((void)(p))
#define arch_sync_dma_for_cpu_all()	do { } while (0)
#define arch_dma_mark_clean(p, size)	((void)(p))

/* --- what the kernel calls the code by: here only setup() of a side does --- */

#define early_param(word, fn)		static int (*const param_##fn)(char *) __maybe_unused = (fn)
#define postcore_initcall(fn)	static int (*const call_##fn)(void) __maybe_unused = (fn)
#define simple_strtoul			strtoul

#define debugfs_create_dir(...)		NULL
#define debugfs_create_ulong(...)	do { } while (0)
#define debugfs_create_file(name, mode, parent, data, fops)	((void)(data), (void)(fops))

#include <alike.h>

#endif
