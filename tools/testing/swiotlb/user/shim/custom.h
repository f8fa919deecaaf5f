/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Things that behave differently from the kernel's. Memory, locks, RCU and
 * messages are those of the fake machine (machine/machine.h). It checks how
 * they are used, and lets calls fail when a test asks for that.
 */
#ifndef _SHIM_CUSTOM_H
#define _SHIM_CUSTOM_H

/* --- memory order --- */

/* Atomic, so that ThreadSanitizer does not report them as data races. */
/* What is read through a pointer is read after the pointer. */
#define POINTER_CLASS_		__builtin_classify_type((void *)0)
#define READ_ONCE(x)		__atomic_load_n(&(x),					\
	__builtin_classify_type(x) == POINTER_CLASS_ ? __ATOMIC_CONSUME : __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)	__atomic_store_n(&(x), v, __ATOMIC_RELAXED)
/* Here a test can run other code, as an interrupt would: see machine_interrupt */
void machine_meanwhile(void);

#define smp_store_release(p, v) do {						\
	machine_meanwhile();							\
	__atomic_store_n(p, v, __ATOMIC_RELEASE);				\
} while (0)

void machine_full_barrier(void);
void machine_read_barrier(void);
#define smp_mb()		machine_full_barrier()
#define smp_mb__after_spinlock() machine_full_barrier()
#define smp_rmb()		machine_read_barrier()

#define smp_store_mb(x, v) do {							\
	__atomic_store_n(&(x), v, __ATOMIC_SEQ_CST);				\
	machine_full_barrier();							\
	machine_meanwhile();							\
} while (0)

#define cmpxchg(p, old, new) ({							\
	__typeof__(*(p)) _was = (old);						\
	machine_meanwhile();							\
	__atomic_compare_exchange_n(p, &_was, new, false, __ATOMIC_SEQ_CST,	\
				    __ATOMIC_SEQ_CST);				\
	_was;									\
})

#include "atomics.h"

/* --- locks: a mutex, the order in which they nest, and interrupts --- */

#include <pthread.h>

typedef struct {
	pthread_mutex_t mutex;
	const char *name;
} spinlock_t;

#define __SPIN_LOCK_UNLOCKED(x)	{ PTHREAD_MUTEX_INITIALIZER, #x }
#define spin_lock_init(l)	machine_lock_init(l, #l)

void machine_lock_init(spinlock_t *lock, const char *name);
void spin_lock(spinlock_t *lock);
void spin_unlock(spinlock_t *lock);
unsigned long machine_irq_save(void);
void machine_irq_restore(unsigned long flags);

#define local_irq_save(f)		((f) = machine_irq_save())
#define local_irq_restore(f)		machine_irq_restore(f)
#define spin_lock_irqsave(l, f)		do { (f) = machine_irq_save(); spin_lock(l); } while (0)
#define spin_unlock_irqrestore(l, f)	do { spin_unlock(l); machine_irq_restore(f); } while (0)
#define spin_lock_irq(l)		do { machine_irq_save(); spin_lock(l); } while (0)
#define spin_unlock_irq(l)		do { spin_unlock(l); machine_irq_restore(0); } while (0)

/* Afterwards all CPUs see what was written before, and what they wrote is visible. */
#define kick_all_cpus_sync()		do { smp_mb(); machine_meanwhile(); } while (0)

/* A bit of a word as a lock that is only ever tried */
static inline bool test_and_set_bit_lock(unsigned int bit, unsigned long *word)
{
	return __atomic_fetch_or(word, 1UL << bit, __ATOMIC_ACQUIRE) >> bit & 1;
}

static inline void clear_bit_unlock(unsigned int bit, unsigned long *word)
{
	__atomic_fetch_and(word, ~(1UL << bit), __ATOMIC_RELEASE);
}

struct mutex {
	pthread_mutex_t mutex;
};

#define __MUTEX_INITIALIZER(m)	{ PTHREAD_MUTEX_INITIALIZER }
#define mutex_init(m)		pthread_mutex_init(&(m)->mutex, NULL)

void mutex_lock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);

/* Does this thread hold the lock? */
bool machine_holds(const void *lock);

#define lockdep_is_held(l)	machine_holds(l)
#define lockdep_assert_held(l)	machine_check(machine_holds(l))
#define VM_WARN_ON_ONCE(c)	machine_check(!(c))
#define machine_check(c)	\
	do { if (!(c)) machine_fail("%s:%d: not so: %s", __FILE__, __LINE__, #c); } while (0)

void might_sleep(void);
#define might_sleep_if(c)		do { if (c) might_sleep(); } while (0)
unsigned int raw_smp_processor_id(void);
unsigned int num_possible_cpus(void);

/* --- time: it passes only when a test advances it --- */

extern unsigned long machine_ticks;
#define jiffies			READ_ONCE(machine_ticks)
#define INITIAL_JIFFIES		0UL

/* --- RCU and work: both run only when a test runs them --- */

struct rcu_head {
	struct rcu_head *next;
	void (*func)(struct rcu_head *head);
};

void rcu_read_lock(void);
void rcu_read_unlock(void);
bool rcu_read_lock_held(void);
void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head));
void machine_kfree_rcu(struct rcu_head *head, void *object);
void synchronize_rcu(void);

/* Elements of lists that this thread has looked at, for tests that count them */
extern __thread unsigned long machine_list_steps;
#define count_list_step()		((void)machine_list_steps++)

#define kfree_rcu(p, member)		machine_kfree_rcu(&(p)->member, p)
#define rcu_dereference(p)		__atomic_load_n(&(p), __ATOMIC_CONSUME)
#define rcu_dereference_protected(p, c)	({ machine_check(c); (p); })

struct work_struct {
	void (*func)(struct work_struct *work);
	bool pending;
};

enum { TIMER_DEFERRABLE };
enum machine_queue { WORK_NOW, WORK_LATER };

bool machine_queue_work(struct work_struct *work, enum machine_queue queue);

#define schedule_work(w)		machine_queue_work(w, WORK_NOW)
#define queue_work(wq, w)		machine_queue_work(w, WORK_NOW)
#define queue_delayed_work(wq, w, d)	machine_queue_work(&(w)->work, WORK_LATER)

/* --- messages: collected, so that a test can search them --- */

/* A function, because most files define a macro of this name after this header. */
static inline __attribute__((__format_arg__(1))) const char *pr_fmt(const char *fmt)
{
	return fmt;
}

void machine_log(char level, const char *fmt, ...) __printf(2, 3);
bool machine_warn(bool condition, const char *fmt, ...) __printf(2, 3);

/* Formats are used as they are, so %pa does not print the address here. */
#define pr_err(fmt, ...)		machine_log('e', pr_fmt(fmt), ##__VA_ARGS__)
#define pr_warn(fmt, ...)		machine_log('w', pr_fmt(fmt), ##__VA_ARGS__)
#define pr_info(fmt, ...)		machine_log('i', pr_fmt(fmt), ##__VA_ARGS__)
#define pr_warn_once			pr_warn
#define pr_warn_ratelimited		pr_warn
#define dev_err(dev, fmt, ...)		machine_log('e', fmt, ##__VA_ARGS__)
#define dev_warn_ratelimited(dev, fmt, ...) machine_log('w', fmt, ##__VA_ARGS__)
#define dev_WARN_ONCE(dev, c, fmt, ...)	machine_warn(c, fmt, ##__VA_ARGS__)
#define WARN_ON_ONCE(c)			machine_warn(c, "%s", #c)
#define WARN_ON(c)			machine_warn(c, "%s", #c)
#define BUG_ON(c)			do { if (c) machine_fail("BUG_ON(%s)", #c); } while (0)

void machine_fail(const char *fmt, ...) __printf(1, 2) __attribute__((__noreturn__));

/* --- cache maintenance --- */

/* Is it under way? The CPU must not read what a device wrote until it ends. */
extern bool machine_flushing;

static inline void arch_sync_dma_for_device(phys_addr_t phys, size_t size,
					    enum dma_data_direction dir)
{
	machine_flushing = true;
}

static inline void arch_sync_dma_flush(void)
{
	machine_flushing = false;
}

/* Called before the CPU reads bounce memory that a device may have written */
static inline void kmsan_unpoison_memory(const void *addr, size_t size)
{
	WARN_ON_ONCE(machine_flushing);
}

/* --- memory --- */

struct page {
	bool remapped;
};

struct page *pfn_to_page(unsigned long pfn);
unsigned long page_to_pfn(const struct page *page);
void *phys_to_virt(phys_addr_t phys);
phys_addr_t virt_to_phys(const void *vaddr);
bool PageHighMem(const struct page *page);
bool pfn_valid(unsigned long pfn);
void memcpy_from_page(char *to, struct page *page, size_t offset, size_t len);
void memcpy_to_page(struct page *page, size_t offset, const char *from, size_t len);

#define __pa(v)			virt_to_phys((const void *)(v))
#define __va(p)			phys_to_virt(p)
#define high_memory		machine_high_memory()
#define max_pfn			machine_max_pfn()
#define numa_mem_id()		0
#define totalram_pages()	machine_nr_pages()

void *machine_high_memory(void);
unsigned long machine_max_pfn(void);
unsigned long machine_nr_pages(void);
unsigned long __get_free_pages(gfp_t gfp, unsigned int order);
void free_pages(unsigned long vaddr, unsigned int order);
struct page *alloc_pages(gfp_t gfp, unsigned int order);
struct page *alloc_contig_pages(unsigned long nr_pages, gfp_t gfp, int nid, void *nodes);
void __free_pages(struct page *page, unsigned int order);
void *kmalloc(size_t size, gfp_t gfp);
void kfree(const void *object);

#define kzalloc(size, gfp)	kmalloc(size, (gfp) | __GFP_ZERO)
#define kcalloc(n, size, gfp)	kmalloc((n) * (size), (gfp) | __GFP_ZERO)

/* In atomic context it may call vmalloc(), which has to sleep. */
#define kvzalloc(size, gfp)	({						\
	machine_check(gfpflags_allow_blocking(gfp));				\
	kzalloc(size, gfp);							\
})

void *memblock_alloc(size_t size, size_t align);
void *memblock_alloc_low(size_t size, size_t align);
void memblock_free(void *vaddr, size_t size);
void memblock_free_late(phys_addr_t phys, size_t size);
int memblock_phys_free(phys_addr_t phys, size_t size);

/*
 * A DMA address tells by a bit whether the memory is encrypted: one set for decrypted
 * memory, as on arm64, or for encrypted memory, as with SME. Zero if there is no such bit.
 */
extern u64 machine_shared_bit, machine_encrypted_bit;
#define dma_addr_unencrypted(dma)	((dma) | machine_shared_bit)
#define dma_addr_encrypted(dma)		((dma) | machine_encrypted_bit)
#define dma_addr_canonical(dma)		((dma) & ~(machine_shared_bit | machine_encrypted_bit))
#define __sme_set(dma)			dma_addr_encrypted(dma)
#define __sme_clr(dma)			dma_addr_canonical(dma)

/* DMA attributes with which swiotlb_alloc() finds memory in a restricted pool */
unsigned long machine_alloc_attrs(void);

int set_memory_encrypted(unsigned long vaddr, int nr_pages);
int set_memory_decrypted(unsigned long vaddr, int nr_pages);

/* --- devices --- */

struct bus_dma_region;
struct io_tlb_mem;

struct dev_archdata {
	u64 dma_offset;	/* see asm/dma-direct.h */
};

struct device_dma_parameters {
	unsigned int max_segment_size;
};

struct device {
	const char *name;
	struct dev_archdata archdata;
	struct device_dma_parameters *dma_parms;
	u64 *dma_mask;
	u64 coherent_dma_mask;
	u64 bus_dma_limit;
	const struct bus_dma_region *dma_range_map;
	unsigned int min_align_mask;
	unsigned long segment_boundary;
	bool dma_coherent;
	bool dma_iommu;
	bool trusted;	/* a confidential guest lets it see encrypted memory */
	bool dma_skip_sync;
	bool dma_uses_io_tlb;
	struct io_tlb_mem *dma_io_tlb_mem;
	struct list_head dma_io_tlb_pools;
	spinlock_t dma_io_tlb_lock;
};

static inline unsigned int dma_get_min_align_mask(struct device *dev)
{
	return dev->min_align_mask;
}

static inline u64 dma_get_mask(struct device *dev)
{
	return dev->dma_mask && *dev->dma_mask ? *dev->dma_mask : DMA_BIT_MASK(32);
}

static inline bool use_dma_iommu(struct device *dev)
{
	return dev->dma_iommu;
}

static inline unsigned long dma_get_seg_boundary(struct device *dev)
{
	return dev->segment_boundary;
}

static inline bool dev_is_dma_coherent(struct device *dev)
{
	return dev->dma_coherent;
}

#define dev_dma_skip_sync(dev)			((dev)->dma_skip_sync)
#define dev_assign_dma_skip_sync(dev, value)	((dev)->dma_skip_sync = (value))
#define dev_set_dma_skip_sync(dev)		((dev)->dma_skip_sync = true)
#define dev_clear_dma_skip_sync(dev)		((dev)->dma_skip_sync = false)

static inline void dma_reset_need_sync(struct device *dev)
{
	if (READ_ONCE(dev->dma_skip_sync))
		WRITE_ONCE(dev->dma_skip_sync, false);
}

int dma_set_mask(struct device *dev, u64 mask);
bool dma_coherent_ok(struct device *dev, phys_addr_t phys, size_t size);
struct page *machine_alloc_from_pool(struct device *dev, size_t size, void **cpu_addr,
				     gfp_t gfp,
				     bool (*ok)(struct device *, phys_addr_t, size_t));
/* Later kernels have an argument before the last: DMA attributes. */
#define SECOND(a, b, ...)	b
#define dma_alloc_from_pool(dev, size, cpu_addr, gfp, ...)			\
	machine_alloc_from_pool(dev, size, cpu_addr, gfp, SECOND(__VA_ARGS__, __VA_ARGS__, ))
bool dma_free_from_pool(struct device *dev, void *start, size_t size);

/* --- what the kernel calls the code by: boot parameters, initcalls --- */

void machine_add_param(const char *name, int (*parse)(char *value));
void machine_add_initcall(int (*call)(void));

#define early_param(word, fn)						\
	static void __attribute__((__constructor__)) add_##fn(void)	\
	{								\
		machine_add_param(word, fn);				\
	}								\
	struct dentry

#define postcore_initcall(fn)						\
	static void __attribute__((__constructor__)) add_##fn(void)	\
	{								\
		machine_add_initcall(fn);				\
	}								\
	struct dentry

unsigned long simple_strtoul(const char *text, char **end, unsigned int base);

/* --- debugfs: a list of files that a test can read and write --- */

struct dentry;
struct file_operations;

struct dentry *debugfs_create_dir(const char *name, struct dentry *parent);
void debugfs_create_ulong(const char *name, unsigned int mode, struct dentry *parent,
			  unsigned long *value);
struct dentry *debugfs_create_file(const char *name, unsigned int mode, struct dentry *parent,
				   void *data, const struct file_operations *fops);

/* --- Xen: the hypercalls and tables of the fake hypervisor --- */

#define FOREIGN_FRAME_BIT	(1UL << (BITS_PER_LONG - 1))
#define IDENTITY_FRAME_BIT	(1UL << (BITS_PER_LONG - 2))
#define INVALID_P2M_ENTRY	(~0UL)
#define XENMEM_maximum_ram_page	2
#define P2M_PER_PAGE		(PAGE_SIZE / sizeof(unsigned long))

extern unsigned long *xen_p2m_addr;
extern unsigned long xen_p2m_size;

#define FOREIGN_FRAME(mfn)	((mfn) | FOREIGN_FRAME_BIT)
#define IDENTITY_FRAME(mfn)	((mfn) | IDENTITY_FRAME_BIT)

unsigned long __pfn_to_mfn(unsigned long pfn);
unsigned long pfn_to_mfn(unsigned long pfn);
void set_phys_to_machine(unsigned long pfn, unsigned long mfn);
unsigned long bfn_to_local_pfn(unsigned long mfn);
long HYPERVISOR_memory_op(unsigned int cmd, void *arg);
int xen_create_contiguous_region(phys_addr_t start, unsigned int order,
				 unsigned int address_bits, dma_addr_t *maddr);
void xen_destroy_contiguous_region(phys_addr_t start, unsigned int order);

static inline void SetPageXenRemapped(struct page *page)
{
	page->remapped = true;
}

static inline bool PageXenRemapped(const struct page *page)
{
	return page->remapped;
}

static inline bool TestClearPageXenRemapped(struct page *page)
{
	bool was = page->remapped;

	page->remapped = false;
	return was;
}

/* Does the domain own the machine's devices? If not, it may get some later. */
extern bool machine_is_dom0;
#define xen_initial_domain()		machine_is_dom0
extern bool xen_pv_pci_possible;
extern bool x86_swiotlb_enable;

#define DEFINE_STATIC_KEY_FALSE(key)	bool key
#define DECLARE_STATIC_KEY_FALSE(key)	extern bool key
#define static_branch_unlikely(key)	(*(key))
#define static_branch_enable(key)	(*(key) = true)

#include "alike.h"

#endif
