// SPDX-License-Identifier: GPL-2.0
/*
 * Coherent memory and streaming mappings by kernel/dma/direct.c, as a driver has them: it
 * knows only the address for the CPU and the DMA address. After the guest has been restored
 * from an image, the DMA address may be that of other memory.
 */
#include "test.h"
#include <dma/direct.h>

#define RESTRICTED "restricted-dma-pool"

static struct device dev;

/**
 * struct coherent - coherent memory of a driver
 * @size:	Bytes.
 * @attrs:	%DMA_ATTR_*
 * @vaddr:	Where the CPU finds it, or a cookie.
 * @dma:	Where the device finds it.
 * @page:	First page of the memory. A driver does not know it.
 */
struct coherent {
	size_t size;
	unsigned long attrs;
	void *vaddr;
	dma_addr_t dma;
	struct page *page;
};

static struct coherent coherent_alloc(size_t size, unsigned long attrs)
{
	struct coherent c = { size, attrs };

	c.vaddr = dma_direct_alloc(&dev, size, &c.dma, GFP_KERNEL, attrs);
	EXPECT(c.vaddr);
	EXPECT(machine_reaches(&dev, c.dma, size));
	c.page = pfn_to_page(PHYS_PFN(machine_dma_to_phys(&dev, c.dma)));
	return c;
}

static void coherent_free(struct coherent *c)
{
	dma_direct_free(&dev, c->size, c->vaddr, c->dma, c->attrs);
}

/* A process can map the memory, and another driver can share it. */
static void expect_shown(struct coherent *c)
{
	struct vm_area_struct vma = { .pages = c->size >> PAGE_SHIFT };
	struct sg_table table;

	EXPECT_EQ(dma_direct_mmap(&dev, &vma, c->vaddr, c->dma, c->size, c->attrs), 0);
	EXPECT_EQ(vma.pfn, page_to_pfn(c->page));
	vma = (struct vm_area_struct){ .vm_pgoff = 1, .pages = (c->size >> PAGE_SHIFT) - 1 };
	if (vma.pages) {
		EXPECT_EQ(dma_direct_mmap(&dev, &vma, c->vaddr, c->dma, c->size, c->attrs), 0);
		EXPECT_EQ(vma.pfn, page_to_pfn(c->page) + 1);
	}

	EXPECT_EQ(dma_direct_get_sgtable(&dev, &table, c->vaddr, c->dma, c->size, c->attrs), 0);
	EXPECT(sg_page(table.sgl) == c->page);
	EXPECT_EQ(table.sgl->length, c->size);
	sg_free_table(&table);
}

/* Give the frame of a DMA address to the page at @phys. */
static void lead_handle_to(dma_addr_t dma, phys_addr_t phys)
{
	long behind = machine_page_behind(PHYS_PFN(dma));

	if (behind >= 0)
		machine_make_hole(machine_page_phys(behind));
	machine_make_hole(phys);
	machine_put_frame(phys, PHYS_PFN(dma));
}

enum { BEFORE_RESTORE, TO_NOBODY, TO_PAGE_IN_USE, TO_FREE_PAGE, NR_WAYS };

/* Restore the guest. Then the DMA address is that of other memory of ours, or of none. */
static void restore(unsigned int way, struct coherent *c, phys_addr_t other)
{
	if (way == BEFORE_RESTORE)
		return;
	machine_restore();
	swiotlb_reconnect();
	if (way == TO_NOBODY && machine_page_behind(PHYS_PFN(c->dma)) >= 0)
		machine_make_hole(machine_page_phys(machine_page_behind(PHYS_PFN(c->dma))));
	if (way == TO_PAGE_IN_USE || way == TO_FREE_PAGE)
		lead_handle_to(c->dma, other);
}

static void alloc_show_free(size_t size, unsigned long attrs, unsigned int way)
{
	unsigned long pages = machine_pages_in_use();
	struct coherent c = coherent_alloc(size, attrs);
	phys_addr_t other = machine_alloc(size, __GFP_DMA32);

	machine_context("%zu bytes, attrs %#lx, handle %u", size, attrs, way);
	if (way == TO_FREE_PAGE)
		machine_free(other, size);
	restore(way, &c, other);
	expect_shown(&c);
	coherent_free(&c);
	if (way != TO_FREE_PAGE)
		machine_free(other, size);
	EXPECT_EQ(machine_pages_in_use(), pages);
}

static const size_t sizes[] = { 4096, 12288, 65536 };

/* Number of frames in the extents of the default pool */
static unsigned long extents_of_pool(void)
{
	struct io_tlb_pool *pool = io_tlb_default_mem.defpool;
	unsigned long nsets = pool->nslabs / IO_TLB_SEGSIZE, i, made = 0;

	for (i = 0; i < nsets; i++)
		made += pool->sets[i].made > 0;
	return made * (IO_TLB_SET_BYTES >> PAGE_SHIFT);
}

static void every_size_and_way(const struct machine_config *config, bool cpu_caches,
			       unsigned long attrs)
{
	bool native = config->frames == FRAMES_NATIVE;
	unsigned int i, way;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		machine_boot(config);
		device_init(&dev, config->highmem ? 64 : 32);
		dev.dma_coherent = cpu_caches;
		for (way = 0; way < (native ? 1 : NR_WAYS); way++) {
			alloc_show_free(sizes[i], attrs, way);
			EXPECT_EQ(machine_extents_in_use(), extents_of_pool());
		}
	}
}

/* Memory in the kernel's linear mapping */
TEST_ALL_FRAMES(handle_linear)
{
	struct machine_config config = { .frames = variant, .param = "512" };

	every_size_and_way(&config, true, 0);
}

/* Memory that is remapped, because the device is not coherent with the CPU's caches */
TEST_ALL_FRAMES(handle_remapped)
{
	struct machine_config config = { .frames = variant, .param = "512" };

	every_size_and_way(&config, false, 0);
}

/* A cookie instead of an address: memory that the CPU does not use */
TEST_ALL_FRAMES(handle_cookie)
{
	struct machine_config config = { .frames = variant, .param = "512" };

	every_size_and_way(&config, true, DMA_ATTR_NO_KERNEL_MAPPING);
}

/* High memory has an address only because it is remapped. */
TEST_ALL_FRAMES(handle_highmem)
{
	struct machine_config config = { .frames = variant, .param = "512", .highmem = true };

	machine_boot(&config);
	device_init(&dev, 64);
	EXPECT(PageHighMem(coherent_alloc(4096, 0).page));
	every_size_and_way(&config, true, 0);
	every_size_and_way(&config, true, DMA_ATTR_NO_KERNEL_MAPPING);
}

/* Pages of dma_alloc_pages(), which are freed by page and not by address */
TEST_ALL_FRAMES(handle_pages)
{
	unsigned long pages;
	struct page *page;
	dma_addr_t dma;
	unsigned int i;

	boot(variant, "512");
	device_init(&dev, 32);
	pages = machine_pages_in_use();
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		page = dma_direct_alloc_pages(&dev, sizes[i], &dma, DMA_BIDIRECTIONAL, GFP_KERNEL);
		EXPECT(page);
		EXPECT_EQ(machine_dma_to_phys(&dev, dma), page_to_phys(page));
		if (variant != FRAMES_NATIVE)
			machine_restore();
		dma_direct_free_pages(&dev, sizes[i], page, dma, DMA_BIDIRECTIONAL);
		EXPECT_EQ(machine_pages_in_use(), pages);
		if (variant != FRAMES_NATIVE)
			swiotlb_reconnect();
	}
}

/* --- a streaming mapping that remains mapped over a restore --- */

#define SETS		4
#define SLOTS		(SETS * IO_TLB_SEGSIZE)
#define SMALL		IO_TLB_SIZE

static dma_addr_t dma_map(struct buffer *buffer)
{
	return dma_direct_map_page(&dev, pfn_to_page(PHYS_PFN(buffer->phys)),
				   offset_in_page(buffer->phys), buffer->size,
				   DMA_BIDIRECTIONAL, 0);
}

static void dma_unmap(dma_addr_t dma, size_t size)
{
	dma_direct_unmap_page(&dev, dma, size, DMA_BIDIRECTIONAL, 0);
}

/* Each set is an extent of its own, and all mappings are bounced. */
static void boot_in_sets(void)
{
	struct machine_config config = { .frames = FRAMES_BY_PAGE, .param = "512,force" };

	machine_power_on(&config);
	machine_set_param("swiotlb", config.param);
	machine_fragment_extents(IO_TLB_SET_ORDER);
	core_boot(&config);
	machine_run_initcalls();
	swiotlb_stop_growth();
	device_init(&dev, 32);
}

/* After this restore each set has the machine address that the next one had before. */
static void restore_shifted(void)
{
	struct page *page = alloc_pages(GFP_KERNEL | GFP_DMA32, IO_TLB_SET_ORDER);
	dma_addr_t maddr;

	machine_restore();
	machine_fragment_extents(IO_TLB_SET_ORDER);
	EXPECT_EQ(xen_create_contiguous_region(page_to_phys(page), IO_TLB_SET_ORDER, IO_TLB_LOW_BITS,
					       &maddr), 0);
	swiotlb_reconnect();
}

/* Fill the pool with mappings of one slot each. Returns how many. */
static unsigned int fill(dma_addr_t *at, struct buffer *buffer)
{
	unsigned int nr = 0;

	while (nr < SLOTS && (at[nr] = dma_map(buffer)) != DMA_MAPPING_ERROR)
		nr++;
	return nr;
}

static bool is_among(const dma_addr_t *at, unsigned int nr, dma_addr_t dma)
{
	while (nr--)
		if (at[nr] == dma)
			return true;
	return false;
}

/*
 * One mapping in each set remains mapped over a restore. No other mapping gets its DMA
 * address. Unmapping it frees no slots of others, and copies nothing.
 */
TEST(handle_left_over)
{
	static dma_addr_t at[SLOTS], left[SETS];
	struct buffer old, buffer;
	unsigned int nr, i;
	u8 before;

	boot_in_sets();
	old = buffer_alloc(SMALL, 0, __GFP_DMA32);
	EXPECT_EQ(fill(at, &old), SLOTS);
	for (i = 0; i < SLOTS; i++) {
		if (i % IO_TLB_SEGSIZE == 77)
			left[i / IO_TLB_SEGSIZE] = at[i];
		else
			dma_unmap(at[i], SMALL);
	}
	EXPECT_EQ(slots_used(), SETS);

	machine_forget_messages();
	restore_shifted();
	EXPECT(machine_said("were mapped before the restore"));
	buffer = buffer_alloc(SMALL, 0, __GFP_DMA32);
	nr = fill(at, &buffer);
	EXPECT(nr >= SLOTS - SETS);
	before = *machine_memory(buffer.phys);
	for (i = 0; i < nr; i++)
		EXPECT(machine_dma(&dev, at[i], "x", 1, true));
	*machine_memory(old.phys) = 'o';
	for (i = 0; i < SETS; i++) {
		EXPECT(!is_among(at, nr, left[i]));
		sync_single_for_cpu(&dev, left[i], SMALL, DMA_BIDIRECTIONAL);
		dma_unmap(left[i], SMALL);
	}
	machine_expect_warning("which is not mapped");
	EXPECT_EQ(*machine_memory(old.phys), 'o');
	EXPECT_EQ(*machine_memory(buffer.phys), before);
	EXPECT_EQ(slots_used(), nr);
	for (i = 0; i < nr; i++)
		dma_unmap(at[i], SMALL);
	EXPECT_EQ(slots_used(), 0);
	EXPECT_EQ(*machine_memory(buffer.phys), 'x');
	boot_in_sets();
}

/* The slots of such a mapping are free again when no set has its address any more. */
TEST(handle_left_over_slots)
{
	static dma_addr_t at[SLOTS];
	struct buffer buffer, large;
	dma_addr_t left, span;
	unsigned int nr;

	boot_in_sets();
	buffer = buffer_alloc(SMALL, 0, __GFP_DMA32);
	large = buffer_alloc(IO_TLB_SET_BYTES, 0, __GFP_DMA32);
	span = dma_map(&large);
	left = dma_map(&buffer);
	EXPECT(span != DMA_MAPPING_ERROR && left != DMA_MAPPING_ERROR);
	machine_restore();
	machine_limit_extents(0);
	swiotlb_reconnect();
	EXPECT(machine_said("were mapped before the restore"));
	EXPECT_EQ(slots_used(), 0);
	machine_restore();
	machine_fragment_extents(IO_TLB_SET_ORDER - 4);
	swiotlb_reconnect();
	dma_unmap(left, SMALL);
	dma_unmap(span, large.size);
	EXPECT_EQ(slots_used(), 0);
	machine_restore();
	swiotlb_reconnect();
	nr = fill(at, &buffer);
	EXPECT(nr >= SLOTS - IO_TLB_SEGSIZE - 1);
	EXPECT(!is_among(at, nr, left));
	EXPECT(!is_among(at, nr, span));
	while (nr--)
		dma_unmap(at[nr], SMALL);
	boot_in_sets();
}

/* --- encrypted memory --- */

static struct reserved_mem rmem;

static void boot_encrypted(bool restricted)
{
	struct machine_config config = { .encrypted = true, .param = "512" };

	machine_boot(&config);
	device_init(&dev, 64);
	if (!restricted)
		return;
	rmem = (struct reserved_mem){
		.name = "restricted", .base = machine_alloc(SZ_1M, __GFP_DMA32), .size = SZ_1M,
	};
	EXPECT_EQ(machine_setup_reserved(&rmem, RESTRICTED, NULL), 0);
	EXPECT_EQ(rmem.ops->device_init(&rmem, &dev), 0);
}

static void expect_decrypted(struct page *page, size_t size, bool decrypted)
{
	unsigned long first = machine_page_index(page_to_phys(page)), i;

	for (i = 0; i < size >> PAGE_SHIFT; i++)
		EXPECT_EQ(machine_is_decrypted(first + i), decrypted);
}

static const char *const pool_names[] = { "own", "restricted", NULL };

/* Memory is decrypted once and encrypted once. In a restricted pool it stays decrypted. */
TEST_VARIANTS(handle_encrypted, pool_names)
{
	bool restricted = variant;
	unsigned int i, round;
	struct coherent c;

	boot_encrypted(restricted);
	for (round = 0; round < 2; round++) {
		dev.dma_coherent = !round;
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			c = coherent_alloc(sizes[i], DMA_ATTR_NO_KERNEL_MAPPING);
			expect_decrypted(c.page, sizes[i],
					 restricted || !round || DECRYPTS_REMAPPED);
			expect_shown(&c);
			coherent_free(&c);
			expect_decrypted(c.page, sizes[i], restricted);
		}
	}
	if (restricted)
		contract_check_all_free(dev.dma_io_tlb_mem);
}

/* The same for pages */
TEST_VARIANTS(handle_encrypted_pages, pool_names)
{
	bool restricted = variant;
	struct page *page;
	dma_addr_t dma;
	unsigned int i;

	boot_encrypted(restricted);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		page = dma_direct_alloc_pages(&dev, sizes[i], &dma, DMA_BIDIRECTIONAL, GFP_KERNEL);
		EXPECT(page);
		expect_decrypted(page, sizes[i], true);
		dma_direct_free_pages(&dev, sizes[i], page, dma, DMA_BIDIRECTIONAL);
		expect_decrypted(page, sizes[i], restricted);
	}
	if (restricted)
		contract_check_all_free(dev.dma_io_tlb_mem);
}

static void alloc_in_atomic_context(size_t size, bool expected)
{
	struct coherent c = { size };
	struct page *page;
	dma_addr_t dma;

	machine_set_atomic(true);
	page = dma_direct_alloc_pages(&dev, size, &dma, DMA_BIDIRECTIONAL, GFP_ATOMIC);
	c.vaddr = dma_direct_alloc(&dev, size, &c.dma, GFP_ATOMIC, 0);
	EXPECT_EQ(!!page, expected);
	EXPECT_EQ(!!c.vaddr, expected);
	if (expected) {
		EXPECT_EQ(machine_dma_to_phys(&dev, dma), page_to_phys(page));
		EXPECT_EQ(machine_dma_to_phys(&dev, c.dma), virt_to_phys(c.vaddr));
		expect_decrypted(page, size, true);
		expect_decrypted(virt_to_page(c.vaddr), size, true);
		dma_direct_free_pages(&dev, size, page, dma, DMA_BIDIRECTIONAL);
		dma_direct_free(&dev, size, c.vaddr, c.dma, 0);
	}
	machine_set_atomic(false);
}

/* Atomic context gets memory that was decrypted in advance, or none. */
TEST_VARIANTS(handle_encrypted_atomic, pool_names)
{
	unsigned int i;

	boot_encrypted(variant);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		alloc_in_atomic_context(sizes[i], true);
		machine_fail_all(FAIL_COHERENT, true);
		alloc_in_atomic_context(sizes[i], variant);
		machine_fail_all(FAIL_COHERENT, false);
	}
	if (variant)
		contract_check_all_free(dev.dma_io_tlb_mem);
}

/* --- pages that the hypervisor does not take --- */

/* Number of attempts in kernel/dma/direct.c */
#define TRIES		8

/* Map a second time the next @nr buffers that the page allocator is going to give. */
static void map_next_twice(size_t size, unsigned int nr)
{
	unsigned int order = get_order(size), i;
	struct page *page[TRIES];

	for (i = 0; i < nr; i++)
		page[i] = alloc_pages(GFP_KERNEL, order);
	for (i = 0; i < nr; i++) {
		machine_map_twice(page_to_phys(page[i]) + size - PAGE_SIZE, PAGE_SIZE);
		__free_pages(page[i], order);
	}
}

static void *alloc_one(unsigned int how, size_t size, dma_addr_t *dma)
{
	if (how < 2)
		return dma_direct_alloc(&dev, size, dma, GFP_KERNEL,
					how ? DMA_ATTR_NO_KERNEL_MAPPING : 0);
	return dma_direct_alloc_pages(&dev, size, dma, DMA_BIDIRECTIONAL, GFP_KERNEL);
}

static void free_one(unsigned int how, size_t size, void *got, dma_addr_t dma)
{
	if (how < 2)
		dma_direct_free(&dev, size, got, dma, how ? DMA_ATTR_NO_KERNEL_MAPPING : 0);
	else
		dma_direct_free_pages(&dev, size, got, dma, DMA_BIDIRECTIONAL);
}

static void alloc_mapped_twice(unsigned int bad, size_t size, unsigned int how)
{
	unsigned long pages, extents;
	dma_addr_t dma;
	void *got;

	machine_context("%u bad, %zu bytes, way %u", bad, size, how);
	boot(FRAMES_BY_PAGE, "512");
	device_init(&dev, 32);
	map_next_twice(size, bad);
	pages = machine_pages_in_use();
	extents = machine_extents_in_use();

	got = alloc_one(how, size, &dma);
	EXPECT_EQ(!!got, bad < TRIES);
	if (got) {
		EXPECT(machine_reaches(&dev, dma, size));
		EXPECT_EQ(machine_pages_in_use(), pages + (size >> PAGE_SHIFT));
		free_one(how, size, got, dma);
	}
	EXPECT_EQ(machine_pages_in_use(), pages);
	EXPECT_EQ(machine_extents_in_use(), extents);
}

static const char *const bad_names[] = { "0", "1", "7", "8", NULL };

/* Memory freed from the kernel's image has a second mapping: other pages are tried. */
TEST_VARIANTS(handle_mapped_twice, bad_names)
{
	static const unsigned int bad[] = { 0, 1, TRIES - 1, TRIES };
	static const size_t large[] = { 16384, 65536, SZ_1M };
	unsigned int i, how;

	for (i = 0; i < ARRAY_SIZE(large); i++)
		for (how = 0; how < 3; how++)
			alloc_mapped_twice(bad[variant], large[i], how);
}

/* If the hypervisor is short of memory, other pages do not help: one attempt, and an error. */
TEST(handle_shortage)
{
	unsigned long pages;
	unsigned int how;
	dma_addr_t dma;

	boot(FRAMES_BY_PAGE, "512");
	device_init(&dev, 32);
	pages = machine_pages_in_use();
	for (how = 0; how < 3; how++) {
		machine_fail_nth(FAIL_EXCHANGE, 0);
		machine_limit_extents(0);
		EXPECT(!alloc_one(how, 65536, &dma));
		EXPECT_EQ(machine_failure_calls(FAIL_EXCHANGE), 1);
		EXPECT_EQ(machine_pages_in_use(), pages);
	}
}
