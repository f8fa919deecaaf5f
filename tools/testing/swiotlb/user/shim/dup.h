/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Types, constants and macros that mean the same as in the kernel.
 */
#ifndef _SHIM_DUP_H
#define _SHIM_DUP_H

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* --- types --- */

#define __aligned_u64	__u64 __aligned(8)
typedef uint8_t __u8, u8;
typedef uint16_t __u16, u16;
typedef uint32_t __u32, u32;
typedef unsigned long long __u64;
typedef unsigned long long u64;
typedef int8_t __s8, s8;
typedef int16_t __s16, s16;
typedef int32_t __s32, s32;
typedef long long __s64;
typedef long long s64;
typedef u64 __le64;

/* 64 bits also where a long has 32, as on i386 with PAE */
typedef u64 phys_addr_t;
typedef u64 dma_addr_t;
typedef u64 resource_size_t;
typedef unsigned int gfp_t;

struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

/* --- compiler --- */

#define __packed	__attribute__((__packed__))
#define __aligned(x)	__attribute__((__aligned__(x)))
#define __releases(lock)
#define __cold		__attribute__((__cold__))
#define __must_check	__attribute__((__warn_unused_result__))
#define __maybe_unused	__attribute__((__unused__))
#define __printf(a, b)	__attribute__((__format__(printf, a, b)))
#ifndef __always_inline
#define __always_inline	inline __attribute__((__always_inline__))
#endif
#define noinline	__attribute__((__noinline__))
#define __counted_by(m)
#define __visible
#define __init
#define __initdata
#define __ro_after_init
#define __read_mostly
#define __rcu
#define __force
#define __percpu
#define __iomem
#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define static_assert(expr, ...) _Static_assert(expr, #expr)
#define __same_type(a, b) __builtin_types_compatible_p(typeof(a), typeof(b))
#define BUILD_BUG_ON(cond) _Static_assert(!(cond), #cond)
#define BUILD_BUG_ON_ZERO(e) ((int)(sizeof(struct { int : (-!!(e)); })))

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))
#define struct_size_t(type, member, count) \
	(sizeof(type) + sizeof(((type *)0)->member[0]) * (count))

/* --- limits and arithmetic --- */

#define U8_MAX		((u8)~0U)
#define U32_MAX		((u32)~0U)
#define U64_MAX		((u64)~0ULL)
#ifndef SIZE_MAX
#define SIZE_MAX	((size_t)-1)
#endif
#ifndef UINT_MAX
#define UINT_MAX	(~0U)
#endif
#ifndef ULONG_MAX
#define ULONG_MAX	(~0UL)
#endif
#define BITS_PER_LONG	(__SIZEOF_LONG__ * 8)
#define BITS_PER_BYTE	8

#define min(a, b) ({ typeof(a) _a = (a); typeof(b) _b = (b); _a < _b ? _a : _b; })
#define max(a, b) ({ typeof(a) _a = (a); typeof(b) _b = (b); _a > _b ? _a : _b; })
#define min_t(t, a, b)	min((t)(a), (t)(b))
#define max_t(t, a, b)	max((t)(a), (t)(b))
#define min3(a, b, c)	min(min(a, b), c)
#define clamp(v, lo, hi) min((typeof(v))max(v, lo), (typeof(v))(hi))
#define swap(a, b) do { typeof(a) _s = (a); (a) = (b); (b) = _s; } while (0)
#define min_not_zero(a, b) ({			\
	typeof(a) _x = (a);			\
	typeof(b) _y = (b);			\
	_x == 0 ? _y : _y == 0 ? _x : min(_x, _y); })

#define ALIGN_MASK_(x, m)	(((x) + (m)) & ~(m))
#define ALIGN(x, a)		ALIGN_MASK_(x, (typeof(x))(a) - 1)
#define ALIGN_DOWN(x, a)	((x) & ~((typeof(x))(a) - 1))
#define IS_ALIGNED(x, a)	(((x) & ((typeof(x))(a) - 1)) == 0)
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define DIV_ROUND_UP_ULL(n, d)	DIV_ROUND_UP((unsigned long long)(n), d)
#define round_up(x, to)		((((x) - 1) | ((typeof(x))(to) - 1)) + 1)
#define round_down(x, to)	((x) & ~((typeof(x))(to) - 1))
#define roundup(x, to)		((((x) + (to) - 1) / (to)) * (to))
#define SZ_1K			0x400
#define SZ_4K			0x1000
#define SZ_8K			0x2000
#define SZ_16K			0x4000
#define SZ_32K			0x8000
#define SZ_64K			0x10000
#define SZ_128K			0x20000
#define SZ_256K			0x40000
#define SZ_512K			0x80000
#define SZ_1M			0x100000
#define SZ_2M			0x200000
#define SZ_1G			0x40000000

/* --- bits --- */

#define BIT(n)			(1UL << (n))
#define BIT_ULL(n)		(1ULL << (n))

static inline unsigned int __ffs64(u64 x)
{
	return __builtin_ctzll(x);
}

static inline u64 ror64(u64 word, unsigned int shift)
{
	return (word >> (shift & 63)) | (word << (-shift & 63));
}

static inline int fls64(u64 x)
{
	return x ? 64 - __builtin_clzll(x) : 0;
}

static inline unsigned int hweight64(u64 x)
{
	return __builtin_popcountll(x);
}

static inline int fls(unsigned int x)
{
	return fls64(x);
}

static inline int ilog2(u64 x)
{
	return fls64(x) - 1;
}

/* Multiplicative: the high bits of the product depend on all of @value. */
static inline u32 hash_64(u64 value, unsigned int bits)
{
	return value * 0x61c8864680b583ebULL >> (64 - bits);
}

static inline int order_base_2(u64 x)
{
	return x > 1 ? fls64(x - 1) : 0;
}

static inline bool is_power_of_2(unsigned long x)
{
	return x && !(x & (x - 1));
}

static inline unsigned long roundup_pow_of_two(unsigned long x)
{
	return 1UL << order_base_2(x);
}

static inline unsigned long rounddown_pow_of_two(unsigned long x)
{
	return 1UL << ilog2(x);
}

/* --- pages --- */

#define PAGE_SHIFT		12
#define PAGE_SIZE		(1UL << PAGE_SHIFT)
#define PAGE_MASK		(~(PAGE_SIZE - 1))
#define PFN_PHYS(pfn)		((phys_addr_t)(pfn) << PAGE_SHIFT)
#define PHYS_PFN(phys)		((unsigned long)((phys) >> PAGE_SHIFT))
#define PFN_UP(x)		(((x) + PAGE_SIZE - 1) >> PAGE_SHIFT)
#define PFN_DOWN(x)		((x) >> PAGE_SHIFT)
#define PAGE_ALIGN(x)		ALIGN(x, PAGE_SIZE)
#define PAGE_ALIGNED(x)		IS_ALIGNED(x, PAGE_SIZE)
#define offset_in_page(p)	((unsigned long)(p) & ~PAGE_MASK)
#define MAX_PAGE_ORDER		10
#define SMP_CACHE_BYTES		64
#define ____cacheline_aligned_in_smp __aligned(SMP_CACHE_BYTES)

static inline int get_order(unsigned long size)
{
	return order_base_2(PFN_UP(size));
}

/* --- GFP flags: the values do not matter, but they must differ --- */

#define __GFP_DMA	0x01U
#define __GFP_DMA32	0x04U
#define __GFP_HIGHMEM	0x02U
#define GFP_ZONEMASK	(__GFP_DMA | __GFP_HIGHMEM | __GFP_DMA32)
#define __GFP_ZERO	0x100U
#define __GFP_NOWARN	0x200U
#define __GFP_COMP	0x1000U
#define __GFP_DIRECT_RECLAIM 0x400U
#define __GFP_KSWAPD_RECLAIM 0x800U
#define GFP_KERNEL	(__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM)
#define GFP_NOIO	GFP_KERNEL
#define GFP_NOWAIT	__GFP_KSWAPD_RECLAIM
#define GFP_ATOMIC	__GFP_KSWAPD_RECLAIM
#define GFP_DMA		__GFP_DMA
#define GFP_DMA32	__GFP_DMA32

static inline bool gfpflags_allow_blocking(gfp_t gfp)
{
	return gfp & __GFP_DIRECT_RECLAIM;
}

/* --- DMA --- */

enum dma_data_direction {
	DMA_BIDIRECTIONAL	= 0,
	DMA_TO_DEVICE		= 1,
	DMA_FROM_DEVICE		= 2,
	DMA_NONE		= 3,
};

#define DMA_BIT_MASK(n)		((n) == 64 ? ~0ULL : (1ULL << (n)) - 1)
#define DMA_MAPPING_ERROR	(~(dma_addr_t)0)
#define DMA_ATTR_SKIP_CPU_SYNC	(1UL << 5)
#define DMA_ATTR_NO_WARN	(1UL << 8)
#define DMA_ATTR_MMIO		(1UL << 10)
#define DMA_ATTR_REQUIRE_COHERENT (1UL << 12)
#define DMA_ATTR_CC_SHARED	BIT(13)
#define __DMA_ATTR_ALLOC_CC_SHARED BIT(14)
#define ARCH_LOW_ADDRESS_LIMIT	0xffffffffUL

/* --- errors in pointers --- */

#define MAX_ERRNO	4095
#define ERR_PTR(e)	((void *)(long)(e))
#define PTR_ERR(p)	((long)(p))
#define IS_ERR(p)	((unsigned long)(p) >= (unsigned long)-MAX_ERRNO)

#define cpu_to_le64(x)	(x)
#define le64_to_cpu(x)	(x)

#define __stringify_1(x) #x
#define __stringify(x)	__stringify_1(x)

#endif
