// SPDX-License-Identifier: GPL-2.0
/*
 * Failure injection: each call of each kind that can fail does fail, alone or with all
 * calls of its kind that follow. Nothing may be lost.
 *
 * Each failure runs in a process of its own, so that none depends on those before.
 */
#include <sanitizer/lsan_interface.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inject.h"

static struct io_tlb_mem *const mem = &io_tlb_default_mem;

#define NOT_REACHED	3		/* exit status: there is no such call */

const char *const machines[] = { "native", "encrypted", "xen", NULL };

const struct machine_config configs[] = {
	[NATIVE]	= { .param = "1024,2", .cpus = 2, .seed = 1 },
	[ENCRYPTED]	= { .param = "1024,2", .cpus = 2, .seed = 1, .encrypted = true },
	[XEN]		= { .param = "1024,2", .cpus = 2, .seed = 1, .frames = FRAMES_BY_PAGE },
};

static const char *const kinds[] = {
	[FAIL_MEMBLOCK] = "memblock", [FAIL_KMALLOC] = "kmalloc", [FAIL_PAGES] = "pages",
	[FAIL_EXCHANGE] = "exchange", [FAIL_DECRYPT] = "decrypt", [FAIL_ENCRYPT] = "encrypt",
	[FAIL_COHERENT] = "coherent",
};

/**
 * struct injection - what fails
 * @machine:	Index of @configs.
 * @kind:	Kind of call.
 * @onwards:	All calls after it fail too.
 * @no_encrypt:	Besides, no memory can be encrypted again, that is taken back from devices.
 * @nth:	Number of the call, from 1.
 */
struct injection {
	unsigned int machine;
	enum machine_failure kind;
	bool onwards;
	bool no_encrypt;
	unsigned int nth;
};

unsigned int machine;
struct others others;

/* --- nothing is lost --- */

static long pool_pages(const struct io_tlb_pool *pool)
{
	if (pool->late_alloc)
		return 1UL << get_order(pool->bytes);
	return PFN_UP(pool->bytes) + PFN_UP(pool->meta_bytes);
}

static long explained_pages(void)
{
	struct io_tlb_pool_table *table = mem->pools;
	long pages = 0;
	unsigned int i;

	for (i = 0; table && i < table->nr; i++)
		pages += pool_pages(table->pools[i]);
	/* The table of boot remains in memory when it has been replaced. */
	if (mem->defpool && !mem->defpool->late_alloc)
		pages += PFN_UP(swiotlb_table_size(1));
	return pages;
}

static long explained_objects(void)
{
	struct io_tlb_pool_table *table = mem->pools;
	long objects = table && !table->boot;
	unsigned int i;

	for (i = 0; table && i < table->nr; i++)
		objects += table->pools[i]->late_alloc;
	return objects;
}

static long explained_extents(void)
{
	struct io_tlb_pool_table *table = mem->pools;
	long extents = 0;
	unsigned int i;

	for (i = 0; table && i < table->nr; i++)
		if (table->pools[i]->backend)
			extents += table->pools[i]->nslabs >> (PAGE_SHIFT - IO_TLB_SHIFT);
	return extents;
}

static void note_others(void)
{
	others.pages = machine_pages_in_use() - explained_pages();
	others.objects = machine_objects_in_use() - explained_objects();
	others.extents = machine_extents_in_use() - explained_extents();
}

/* Devices can access all of the pool. */
static void check_visible(const struct io_tlb_pool *pool)
{
	phys_addr_t phys;

	for (phys = pool->start; phys < pool->end; phys += PAGE_SIZE)
		EXPECT(machine_is_decrypted(machine_page_index(phys)));
}

/* The software IO TLB is set up completely, or not at all. */
void check_whole(void)
{
	struct io_tlb_pool_table *table = mem->pools;
	unsigned long nslabs = 0;
	bool has_defpool = false;
	struct device dev;
	unsigned int i;

	for (i = 0; table && i < table->nr; i++) {
		nslabs += table->pools[i]->nslabs;
		has_defpool |= table->pools[i] == mem->defpool;
		EXPECT(!i || swiotlb_find_in_table(mem, table->pools[i]->start) == table->pools[i]);
		check_visible(table->pools[i]);
	}
	EXPECT_EQ(mem->nslabs, nslabs);
	EXPECT_EQ(has_defpool, !!table);
	EXPECT_EQ(!!mem->defpool, !!table);
	EXPECT(table || !mem->can_grow);
	device_init(&dev, 32);
	EXPECT_EQ(is_swiotlb_active(&dev), !!table);
	EXPECT_EQ(is_swiotlb_allocated(), !!table);
}

void check_nothing_lost(void)
{
	long leaked = machine_pages_in_use() - explained_pages() - others.pages;
	bool said = machine_said("leaking it") || machine_said("doing without");

	if (said ? leaked <= 0 : leaked)
		machine_fail("%ld pages are lost%s", leaked, said ? ", it is said" : "");
	EXPECT_EQ(machine_objects_in_use() - explained_objects(), others.objects);
	EXPECT_EQ(machine_extents_in_use() - explained_extents(), others.extents);
	check_whole();
}

/* --- all failures of a kind --- */

static void inject(const struct injection *injection)
{
	machine_context("%s: %s call %u%s fails%s", machines[injection->machine],
			kinds[injection->kind], injection->nth,
			injection->onwards ? " and all after it" : "",
			injection->no_encrypt ? ", nothing can be encrypted" : "");
	machine_fail_all(FAIL_ENCRYPT, injection->no_encrypt);
	if (injection->onwards)
		machine_fail_from(injection->kind, injection->nth);
	else
		machine_fail_nth(injection->kind, injection->nth);
}

/* Lost memory is counted here. The leak sanitizer would take long to search each process. */
static bool counts_itself;

int __lsan_is_turned_off(void)
{
	return counts_itself;
}

static int fail_in_child(const struct fault *fault, const struct injection *injection)
{
	const struct machine_config *config = &configs[injection->machine];
	bool reached;

	counts_itself = true;
	machine = injection->machine;
	machine_power_on(config);
	machine_set_param("swiotlb", config->param);
	if (fault->prepare)
		fault->prepare();
	note_others();
	machine_forget_messages();

	inject(injection);
	fault->act();
	reached = machine_failure_calls(injection->kind) >= injection->nth;
	machine_fail_all(FAIL_ENCRYPT, false);
	machine_fail_nth(injection->kind, 0);

	check_nothing_lost();
	fault->check();
	machine_shut_down();
	contract_check_all_free(mem);
	return reached ? 0 : NOT_REACHED;
}

/* Returns whether there is such a call. */
static bool fail_one(const struct fault *fault, const struct injection *injection)
{
	pid_t child = fork();
	int status;

	EXPECT(child >= 0);
	if (!child)
		exit(fail_in_child(fault, injection));
	EXPECT(waitpid(child, &status, 0) == child);
	if (!WIFEXITED(status) || (WEXITSTATUS(status) && WEXITSTATUS(status) != NOT_REACHED))
		exit(1);
	return !WEXITSTATUS(status);
}

/* Let each call of a kind fail in turn. Returns how many there are. */
static unsigned int fail_calls(const struct fault *fault, struct injection *injection)
{
	for (injection->nth = 1; fail_one(fault, injection); injection->nth++)
		;
	return injection->nth - 1;
}

void fail_each(unsigned int machine, const struct fault *fault)
{
	struct injection i = { .machine = machine };
	unsigned int failures = 0, calls, mode;

	for (mode = 0; mode < (configs[machine].encrypted ? 2 : 1); mode++) {
		i.no_encrypt = mode;
		for (i.kind = 0; i.kind < NR_FAILURES; i.kind++) {
			i.onwards = false;
			calls = fail_calls(fault, &i);
			i.onwards = true;
			if (calls)
				calls += fail_calls(fault, &i);
			failures += calls;
		}
	}
	printf("%u failures\n", failures);
	EXPECT(failures);
}
