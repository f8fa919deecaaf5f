// SPDX-License-Identifier: GPL-2.0
/*
 * Each case of the KUnit suites in lib/tests is a unit test on every kind of machine. When
 * it ends, all its memory must be free and all its extents given back to Xen.
 */
#include <setjmp.h>

#include <kunit/device.h>

#include "test.h"

/**
 * struct case_test - a case as a unit test
 * @test:	Unit test.
 * @suite:	Suite of the case.
 * @run:	The case.
 */
struct case_test {
	struct test test;
	struct kunit_suite *suite;
	void (*run)(struct kunit *test);
};

/* Cases that cannot run here: the fake machine has no interrupts, and only one thread here. */
static const char *const not_here[] = {
	"interrupted", "cpus", "cpus_without_room", "cpus_and_growth", "cpus_and_transient",
	"leaf_changes_meanwhile",
};

static jmp_buf skip;

void *kunit_kzalloc(struct kunit *test, size_t size, gfp_t gfp)
{
	unsigned int i = test->nr_allocs++;

	EXPECT(i < KUNIT_MAX_ALLOCS);
	test->orders[i] = get_order(size);
	test->allocs[i] = alloc_pages(gfp | __GFP_ZERO, test->orders[i]);
	EXPECT(test->allocs[i]);
	return page_address(test->allocs[i]);
}

struct device *kunit_device_register(struct kunit *test, const char *name)
{
	struct device *dev = kunit_kzalloc(test, sizeof(*dev), GFP_KERNEL);

	machine_device_init(dev, &dev->coherent_dma_mask);
	test->dev = dev;
	return dev;
}

void kunit_skip(struct kunit *test, const char *fmt, ...)
{
	char reason[100];
	va_list args;

	va_start(args, fmt);
	vsnprintf(reason, sizeof(reason), fmt, args);
	va_end(args);
	test_skip(reason);
	longjmp(skip, 1);
}

/* The suite of Xen PV does not run on a native machine. */
static bool on_xen_only(const struct kunit_suite *suite)
{
	return !strcmp(suite->name, "xen-iommu");
}

static void run_in_suite(struct case_test *t, struct kunit *test)
{
	if (!setjmp(skip)) {
		EXPECT_EQ(t->suite->init(test), 0);
		t->run(test);
	}
	t->suite->exit(test);
	if (test->dev)
		kfree(test->dev->dma_range_map);
	while (test->nr_allocs--)
		__free_pages(test->allocs[test->nr_allocs], test->orders[test->nr_allocs]);
}

static void run(unsigned int variant)
{
	struct case_test *t = container_of(running, struct case_test, test);
	unsigned long pages, objects, extents;
	struct kunit test = { };

	boot(variant + on_xen_only(t->suite), "512");
	if (t->suite->suite_init)
		EXPECT_EQ(t->suite->suite_init(t->suite), 0);
	pages = machine_pages_in_use();
	objects = machine_objects_in_use();
	extents = machine_extents_in_use();
	run_in_suite(t, &test);
	machine_grace_period();
	EXPECT_EQ(machine_pages_in_use(), pages);
	EXPECT_EQ(machine_objects_in_use(), objects);
	EXPECT_EQ(machine_extents_in_use(), extents);
}

static void cannot_run(unsigned int variant)
{
	test_skip("needs interrupts or CPUs");
}

static bool is_not_here(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(not_here); i++)
		if (!strcmp(not_here[i], name))
			return true;
	return false;
}

static const char *name_of(const struct kunit_suite *suite, const struct kunit_case *c)
{
	char *name;

	return asprintf(&name, "kunit.%s.%s", suite->name, c->name) < 0 ? NULL : name;
}

void kunit_add_suite(struct kunit_suite *suite)
{
	bool xen = on_xen_only(suite);
	struct kunit_case *c;
	struct case_test *t;

	for (c = suite->test_cases; c->run_case; c++) {
		t = calloc(1, sizeof(*t));
		t->suite = suite;
		t->run = c->run_case;
		t->test.name = name_of(suite, c);
		t->test.run = is_not_here(c->name) ? cannot_run : run;
		t->test.variants = is_not_here(c->name) ? NULL : frames_names + xen;
		add_test(&t->test);
	}
}
