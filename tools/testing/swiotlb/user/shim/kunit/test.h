/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KUnit for the suites of lib/tests, on the fake machine. Each case is a unit test with the
 * name kunit.SUITE.CASE, see tests/kunit.c. The first check that fails ends it.
 */
#ifndef _SHIM_KUNIT_TEST_H
#define _SHIM_KUNIT_TEST_H

#include <linux/dma-mapping.h>
#include "dma.h"
#include "kernel.h"

#define KUNIT_MAX_ALLOCS	64
#define KBUILD_MODNAME		"kunit"

/**
 * struct kunit - a case that runs
 * @priv:	For the suite.
 * @dev:	Its device, if it has one.
 * @allocs:	@nr_allocs allocations that are freed when the case ends.
 * @orders:	Their orders.
 */
struct kunit {
	void *priv;
	struct device *dev;
	struct page *allocs[KUNIT_MAX_ALLOCS];
	unsigned int orders[KUNIT_MAX_ALLOCS];
	unsigned int nr_allocs;
};

struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
	const char *module_name;
};

struct kunit_suite {
	const char *name;
	int (*suite_init)(struct kunit_suite *suite);
	int (*init)(struct kunit *test);
	void (*exit)(struct kunit *test);
	struct kunit_case *test_cases;
};

#define KUNIT_CASE(test_name)	{ .run_case = test_name, .name = #test_name }

void kunit_add_suite(struct kunit_suite *suite);

#define kunit_test_suite(suite)						\
	static void __attribute__((__constructor__)) add_##suite(void)	\
	{								\
		kunit_add_suite(&suite);				\
	}

/* The memory has a physical address, unlike that of kmalloc() of the fake machine. */
void *kunit_kzalloc(struct kunit *test, size_t size, gfp_t gfp);

static inline void *kunit_kcalloc(struct kunit *test, size_t n, size_t size, gfp_t gfp)
{
	return kunit_kzalloc(test, n * size, gfp);
}

void kunit_skip(struct kunit *test, const char *fmt, ...)
	__printf(2, 3) __attribute__((__noreturn__));

#define kunit_info(test, fmt, ...)	machine_log('i', fmt, ##__VA_ARGS__)

/* --- checks --- */

#define KUNIT_FAIL(test, fmt, ...)					\
	machine_fail("%s:%d: " fmt, __FILE_NAME__, __LINE__, ##__VA_ARGS__)

#define kunit_compare(test, a, op, b, fmt, ...) do {			\
	typeof(a) _a = (a);						\
	typeof(b) _b = (b);						\
	if (!(_a op _b))						\
		KUNIT_FAIL(test, "not so: %s " #op " %s: %#llx, %#llx " fmt,	\
			   #a, #b, (unsigned long long)_a,		\
			   (unsigned long long)_b, ##__VA_ARGS__);	\
} while (0)

#define kunit_check(test, condition, text, fmt, ...) do {		\
	if (!(condition))						\
		KUNIT_FAIL(test, "not so: %s " fmt, text, ##__VA_ARGS__); \
} while (0)

#define KUNIT_EXPECT_EQ_MSG(test, a, b, ...)	kunit_compare(test, a, ==, b, __VA_ARGS__)
#define KUNIT_EXPECT_NE_MSG(test, a, b, ...)	kunit_compare(test, a, !=, b, __VA_ARGS__)
#define KUNIT_EXPECT_EQ(test, a, b)		kunit_compare(test, a, ==, b, "")
#define KUNIT_EXPECT_NE(test, a, b)		kunit_compare(test, a, !=, b, "")
#define KUNIT_EXPECT_LT(test, a, b)		kunit_compare(test, a, <, b, "")
#define KUNIT_EXPECT_LE(test, a, b)		kunit_compare(test, a, <=, b, "")
#define KUNIT_EXPECT_GT(test, a, b)		kunit_compare(test, a, >, b, "")
#define KUNIT_EXPECT_GE(test, a, b)		kunit_compare(test, a, >=, b, "")
#define KUNIT_EXPECT_TRUE(test, c)		kunit_check(test, c, #c, "")
#define KUNIT_EXPECT_FALSE(test, c)		kunit_check(test, !(c), "!(" #c ")", "")
#define KUNIT_EXPECT_NULL(test, p)		KUNIT_EXPECT_FALSE(test, p)
#define KUNIT_EXPECT_NOT_NULL(test, p)		KUNIT_EXPECT_TRUE(test, p)
#define KUNIT_EXPECT_PTR_EQ(test, a, b)		KUNIT_EXPECT_TRUE(test, (a) == (b))
#define KUNIT_EXPECT_PTR_NE(test, a, b)		KUNIT_EXPECT_TRUE(test, (a) != (b))
#define KUNIT_EXPECT_MEMEQ(test, a, b, size)	KUNIT_EXPECT_TRUE(test, !memcmp(a, b, size))

#define KUNIT_ASSERT_EQ				KUNIT_EXPECT_EQ
#define KUNIT_ASSERT_NE				KUNIT_EXPECT_NE
#define KUNIT_ASSERT_LT				KUNIT_EXPECT_LT
#define KUNIT_ASSERT_TRUE			KUNIT_EXPECT_TRUE
#define KUNIT_ASSERT_FALSE			KUNIT_EXPECT_FALSE
#define KUNIT_ASSERT_NOT_NULL			KUNIT_EXPECT_NOT_NULL
#define KUNIT_ASSERT_FALSE_MSG(test, c, ...)	kunit_check(test, !(c), "!(" #c ")", __VA_ARGS__)
#define KUNIT_ASSERT_NOT_ERR_OR_NULL(test, p)	KUNIT_EXPECT_TRUE(test, (p) && !IS_ERR(p))

#endif
