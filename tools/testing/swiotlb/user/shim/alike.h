/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Definitions that the fake machine (custom.h) and the benchmark (lean.h) share. Both
 * include this file after their own barriers, work, memory and pages.
 */
#ifndef _SHIM_ALIKE_H
#define _SHIM_ALIKE_H

#include "reserved.h"

#define barrier()		__asm__ volatile("" ::: "memory")
#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)

#define rcu_assign_pointer(p, v)	smp_store_release(&(p), v)
#define RCU_INIT_POINTER(p, v)		WRITE_ONCE(p, v)

struct delayed_work {
	struct work_struct work;
};

#define __WORK_INITIALIZER(w, f)	{ .func = (f) }
#define INIT_WORK(w, f)			((w)->func = (f))
#define to_delayed_work(w)		container_of(w, struct delayed_work, work)
#define __DELAYED_WORK_INITIALIZER(w, f, t)	{ __WORK_INITIALIZER(w, f) }
#define INIT_DEFERRABLE_WORK(w, f)	INIT_WORK(&(w)->work, f)
#define DEFINE_MUTEX(m)			struct mutex m = __MUTEX_INITIALIZER(m)

#define HZ			100
#define time_after(a, b)	((long)((b) - (a)) < 0)
#define time_before(a, b)	time_after(b, a)

#define page_to_phys(page)	PFN_PHYS(page_to_pfn(page))
#define virt_to_page(v)		pfn_to_page(PHYS_PFN(virt_to_phys(v)))
#define min_low_pfn		0UL

#define kvmalloc			kmalloc
#define kvcalloc			kcalloc
#define kvmalloc_array(n, size, gfp)	kmalloc((n) * (size), gfp)
#define kvfree				kfree
#define array_size(a, b)		((a) * (b))

enum cc_attr { CC_ATTR_MEM_ENCRYPT, CC_ATTR_HOST_MEM_ENCRYPT, CC_ATTR_GUEST_MEM_ENCRYPT };
bool cc_platform_has(enum cc_attr attr);

#define PhysHighMem(phys)	PageHighMem(pfn_to_page(PHYS_PFN(phys)))
#define kzalloc_obj(object)	kzalloc(sizeof(object), GFP_KERNEL)
#define kzalloc_objs(object, n)	kcalloc(n, sizeof(object), GFP_KERNEL)

/* The attributes of a mapping, as the kernel's swiotlb_tbl_map_single() takes them */
#define TBL_ATTRS(attrs)							\
	__builtin_choose_expr(__builtin_types_compatible_p(			\
		__typeof__(swiotlb_tbl_map_single),				\
		phys_addr_t (struct device *, phys_addr_t, size_t, unsigned int, \
			     enum dma_data_direction, unsigned long *)),	\
		&(unsigned long){ attrs }, attrs)

#define late_initcall(fn)	postcore_initcall(fn)	/* the base kernel's */

int kstrtoul(const char *text, unsigned int base, unsigned long *value);

struct file_operations {
	int (*get)(void *data, u64 *value);
	int (*set)(void *data, u64 value);
};

#define DEFINE_DEBUGFS_ATTRIBUTE(fops, get_fn, set_fn, fmt) \
	static const struct file_operations fops = { .get = get_fn, .set = set_fn }

#endif
