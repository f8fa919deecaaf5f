// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of the fake machine: pages in two pieces, small objects, memblock and the
 * pool of memory that was decrypted in advance. Free pages are poisoned for
 * AddressSanitizer, and all memory in use is counted.
 */
#include <sanitizer/asan_interface.h>
#include <sys/mman.h>

#include "machine.h"
#include <asm/xen/p2m-leaf.h>

#define LOW_PAGES	(MACHINE_LOW_SIZE >> PAGE_SHIFT)
#define COHERENT_SIZE	((size_t)1 << 20)

static u8 *memory;
static struct page pages[MACHINE_PAGES];
static bool page_used[MACHINE_PAGES];
static bool page_decrypted[MACHINE_PAGES];
static unsigned long pages_in_use;
static unsigned long objects_in_use;
static bool highmem, encrypted, reach_encrypted, from_top, no_atomic_pool, odd_atomic_pool;
static unsigned long coherent_first;	/* pages of the pool decrypted ahead */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* --- addresses --- */

unsigned long machine_page_index(phys_addr_t phys)
{
	if (phys >= MACHINE_LOW_START && phys - MACHINE_LOW_START < MACHINE_LOW_SIZE)
		return (phys - MACHINE_LOW_START) >> PAGE_SHIFT;
	if (phys >= MACHINE_HIGH_START && phys - MACHINE_HIGH_START < MACHINE_HIGH_SIZE)
		return LOW_PAGES + ((phys - MACHINE_HIGH_START) >> PAGE_SHIFT);
	machine_fail("there is no memory at %#llx", (unsigned long long)phys);
}

phys_addr_t machine_page_phys(unsigned long index)
{
	if (index < LOW_PAGES)
		return MACHINE_LOW_START + PFN_PHYS(index);
	return MACHINE_HIGH_START + PFN_PHYS(index - LOW_PAGES);
}

/* For tests. Unlike phys_to_virt(), it works for high memory too. */
u8 *machine_memory(phys_addr_t phys)
{
	return memory + PFN_PHYS(machine_page_index(phys)) + offset_in_page(phys);
}

void *phys_to_virt(phys_addr_t phys)
{
	if (highmem && phys >= MACHINE_HIGH_START)
		machine_fail("phys_to_virt() of high memory");
	return machine_memory(phys);
}

phys_addr_t virt_to_phys(const void *vaddr)
{
	size_t offset = (const u8 *)vaddr - memory;

	if (offset >= MACHINE_LOW_SIZE + MACHINE_HIGH_SIZE)
		machine_fail("virt_to_phys() of what is not memory");
	return machine_page_phys(offset >> PAGE_SHIFT) + offset_in_page(offset);
}

/* One past the last byte that has a kernel address. Callers use virt_to_phys(it - 1). */
void *machine_high_memory(void)
{
	return memory + MACHINE_LOW_SIZE + (highmem ? 0 : MACHINE_HIGH_SIZE);
}

unsigned long machine_max_pfn(void)
{
	return PHYS_PFN(MACHINE_HIGH_START + MACHINE_HIGH_SIZE);
}

unsigned long machine_nr_pages(void)
{
	return MACHINE_PAGES;
}

bool pfn_valid(unsigned long pfn)
{
	phys_addr_t phys = PFN_PHYS(pfn);

	return (phys >= MACHINE_LOW_START && phys - MACHINE_LOW_START < MACHINE_LOW_SIZE) ||
		(phys >= MACHINE_HIGH_START && phys - MACHINE_HIGH_START < MACHINE_HIGH_SIZE);
}

struct page *pfn_to_page(unsigned long pfn)
{
	return &pages[machine_page_index(PFN_PHYS(pfn))];
}

unsigned long page_to_pfn(const struct page *page)
{
	return PHYS_PFN(machine_page_phys(page - pages));
}

bool PageHighMem(const struct page *page)
{
	return highmem && page - pages >= (long)LOW_PAGES;
}

void *page_address(const struct page *page)
{
	return PageHighMem(page) ? NULL : memory + PFN_PHYS(page - pages);
}

static u8 *map_page(struct page *page, size_t offset, size_t len)
{
	if (offset + len > PAGE_SIZE)
		machine_fail("a copy across the end of a mapped page");
	return memory + PFN_PHYS(page - pages) + offset;
}

void memcpy_from_page(char *to, struct page *page, size_t offset, size_t len)
{
	memcpy(to, map_page(page, offset, len), len);
}

void memcpy_to_page(struct page *page, size_t offset, const char *from, size_t len)
{
	memcpy(map_page(page, offset, len), from, len);
}

/* --- pages --- */

static bool is_coherent(unsigned long index)
{
	return encrypted && !no_atomic_pool && index - coherent_first < COHERENT_SIZE >> PAGE_SHIFT;
}

static bool run_is_free(unsigned long first, unsigned long nr)
{
	while (nr--)
		if (page_used[first + nr])
			return false;
	return true;
}

static void take_pages(unsigned long first, unsigned long nr)
{
	unsigned long i;

	for (i = first; i < first + nr; i++)
		page_used[i] = true;
	pages_in_use += nr;
	ASAN_UNPOISON_MEMORY_REGION(memory + PFN_PHYS(first), PFN_PHYS(nr));
}

/* Free pages. Their contents remain, so a test can find out if a device gets to see them. */
static void give_pages(unsigned long first, unsigned long nr)
{
	unsigned long i;

	for (i = first; i < first + nr; i++) {
		if (!page_used[i])
			machine_fail("page %#lx is freed twice", i);
		if (encrypted && page_decrypted[i])
			machine_fail("page %#lx is freed while devices see it", i);
		page_used[i] = false;
	}
	pages_in_use -= nr;
	ASAN_POISON_MEMORY_REGION(memory + PFN_PHYS(first), PFN_PHYS(nr));
}

/* The highest free run of pages below @end, or the lowest, as real allocators do. */
static long find_pages(unsigned long begin, unsigned long end, unsigned long nr,
		       unsigned long align, bool highest)
{
	unsigned long first;

	if (end - begin < nr)
		return -1;
	if (highest) {
		for (first = ALIGN_DOWN(end - nr, align);; first -= align) {
			if (first < begin)
				return -1;
			if (run_is_free(first, nr))
				return first;
			if (first < begin + align)
				return -1;
		}
	}
	for (first = ALIGN(begin, align); first + nr <= end; first += align)
		if (run_is_free(first, nr))
			return first;
	return -1;
}

static long get_pages(gfp_t gfp, unsigned long nr, unsigned long align)
{
	unsigned long dma_end = PHYS_PFN(zone_dma_limit + 1 - MACHINE_LOW_START);
	unsigned long low_end = encrypted ? coherent_first : LOW_PAGES;
	bool kernel_only = highmem && !(gfp & __GFP_HIGHMEM);
	long first = -1;

	pthread_mutex_lock(&lock);
	if (!(gfp & (__GFP_DMA | __GFP_DMA32)) && !kernel_only)
		first = find_pages(LOW_PAGES, MACHINE_PAGES, nr, align, false);
	if (first < 0 && !(gfp & __GFP_DMA))
		first = find_pages(dma_end, low_end, nr, align, from_top);
	if (first < 0)
		first = find_pages(0, dma_end, nr, align, from_top);
	if (first >= 0)
		take_pages(first, nr);
	pthread_mutex_unlock(&lock);

	if (first >= 0 && (gfp & __GFP_ZERO))
		memset(memory + PFN_PHYS(first), 0, PFN_PHYS(nr));
	return first;
}

static void check_context(gfp_t gfp)
{
	if (gfpflags_allow_blocking(gfp))
		might_sleep();
}

unsigned long __get_free_pages(gfp_t gfp, unsigned int order)
{
	long first;

	check_context(gfp);
	if (order > MAX_PAGE_ORDER)
		machine_fail("pages of order %u", order);
	if (machine_should_fail(FAIL_PAGES))
		return 0;
	first = get_pages(gfp, 1UL << order, 1UL << order);
	return first < 0 ? 0 : (unsigned long)(memory + PFN_PHYS(first));
}

void free_pages(unsigned long vaddr, unsigned int order)
{
	unsigned long first = ((u8 *)vaddr - memory) >> PAGE_SHIFT;

	if (!vaddr)
		return;
	pthread_mutex_lock(&lock);
	give_pages(first, 1UL << order);
	pthread_mutex_unlock(&lock);
}

/* The lowest free pages of the zone of @gfp, and of no other zone */
struct page *alloc_contig_pages(unsigned long nr_pages, gfp_t gfp, int nid, void *nodes)
{
	unsigned long dma_end = PHYS_PFN(zone_dma_limit + 1 - MACHINE_LOW_START);
	long first;

	check_context(gfp);
	/* As in the kernel: compound pages only if they are one block of the page allocator */
	if (!(gfp & __GFP_COMP) || nr_pages != 1UL << MAX_PAGE_ORDER)
		machine_fail("%lu contiguous pages that cannot be freed as such", nr_pages);
	if (machine_should_fail(FAIL_PAGES))
		return NULL;
	pthread_mutex_lock(&lock);
	first = gfp & __GFP_DMA32 ? find_pages(dma_end, LOW_PAGES, nr_pages, nr_pages, false) :
		gfp & __GFP_DMA ? find_pages(0, dma_end, nr_pages, nr_pages, false) :
		find_pages(LOW_PAGES, MACHINE_PAGES, nr_pages, nr_pages, false);
	if (first >= 0)
		take_pages(first, nr_pages);
	pthread_mutex_unlock(&lock);
	return first < 0 ? NULL : &pages[first];
}

struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	unsigned long vaddr = __get_free_pages(gfp, order);

	return vaddr ? virt_to_page((void *)vaddr) : NULL;
}

void __free_pages(struct page *page, unsigned int order)
{
	free_pages((unsigned long)memory + PFN_PHYS(page - pages), order);
}

/**
 * machine_alloc() - memory for a test
 * @size:	Bytes; as many pages as that takes.
 * @gfp:	%__GFP_DMA32 for low memory, %__GFP_HIGHMEM for high memory.
 *
 * Return: Physical address, %DMA_PHYS_NONE if there is none.
 */
phys_addr_t machine_alloc(size_t size, gfp_t gfp)
{
	long first = get_pages(gfp, PFN_UP(size), 1);

	return first < 0 ? (phys_addr_t)-1 : machine_page_phys(first);
}

void machine_free(phys_addr_t phys, size_t size)
{
	pthread_mutex_lock(&lock);
	give_pages(machine_page_index(phys), PFN_UP(size));
	pthread_mutex_unlock(&lock);
}

/* Without the pages that the words of P2M leaves take for good */
unsigned long machine_pages_in_use(void)
{
	return pages_in_use - PFN_UP(xen_p2m_nr_leaves * sizeof(*xen_p2m_leaves));
}

/* --- small objects: the C library's, which AddressSanitizer watches --- */

void *kmalloc(size_t size, gfp_t gfp)
{
	void *object;

	check_context(gfp);
	if (machine_should_fail(FAIL_KMALLOC))
		return NULL;
	/* The metadata of a pool relies on alignment to cache lines, which kmalloc() provides. */
	object = aligned_alloc(SMP_CACHE_BYTES, ALIGN(size, SMP_CACHE_BYTES));
	memset(object, gfp & __GFP_ZERO ? 0 : 0x5a, size);
	__atomic_fetch_add(&objects_in_use, 1, __ATOMIC_RELAXED);
	return object;
}

void kfree(const void *object)
{
	if (!object)
		return;
	__atomic_fetch_sub(&objects_in_use, 1, __ATOMIC_RELAXED);
	free((void *)object);
}

unsigned long machine_objects_in_use(void)
{
	return objects_in_use;
}

/* --- memblock: from the top, page by page --- */

static void *memblock_find(bool low, size_t size, size_t align)
{
	unsigned long pages_align = max(align >> PAGE_SHIFT, (size_t)1);
	unsigned long low_end = encrypted ? coherent_first : LOW_PAGES;
	long first = -1;

	if (machine_should_fail(FAIL_MEMBLOCK))
		return NULL;
	if (!low && !highmem)
		first = find_pages(LOW_PAGES, MACHINE_PAGES, PFN_UP(size), pages_align, true);
	if (first < 0)
		first = find_pages(0, low_end, PFN_UP(size), pages_align, true);
	if (first < 0)
		return NULL;
	take_pages(first, PFN_UP(size));
	return memset(memory + PFN_PHYS(first), 0, size);
}

void *memblock_alloc(size_t size, size_t align)
{
	return memblock_find(false, size, align);
}

void *memblock_alloc_low(size_t size, size_t align)
{
	return memblock_find(true, size, align);
}

void memblock_free(void *vaddr, size_t size)
{
	machine_free(virt_to_phys(vaddr), size);
}

void memblock_free_late(phys_addr_t phys, size_t size)
{
	machine_free(phys, size);
}

int memblock_phys_free(phys_addr_t phys, size_t size)
{
	machine_free(phys, size);
	return 0;
}

/* --- memory encryption --- */

static void set_decrypted(unsigned long vaddr, int nr_pages, bool decrypted)
{
	unsigned long first = ((u8 *)vaddr - memory) >> PAGE_SHIFT;
	int i;

	if (first + nr_pages > MACHINE_PAGES || offset_in_page(vaddr))
		machine_fail("encryption of what is not pages");
	/* An earlier failure may have left the first half decrypted, so check the last. */
	if (decrypted && page_decrypted[first + nr_pages - 1])
		machine_fail("page %#lx is decrypted twice", first + nr_pages - 1);
	for (i = 0; i < nr_pages; i++)
		page_decrypted[first + i] = decrypted;
}

int set_memory_decrypted(unsigned long vaddr, int nr_pages)
{
	bool fail;

	if (!encrypted)
		return 0;
	might_sleep();
	fail = machine_should_fail(FAIL_DECRYPT);
	/* When it fails, some pages may have been decrypted. */
	set_decrypted(vaddr, fail ? nr_pages / 2 : nr_pages, true);
	return fail ? -ENOMEM : 0;
}

int set_memory_encrypted(unsigned long vaddr, int nr_pages)
{
	if (!encrypted)
		return 0;
	might_sleep();
	if (machine_should_fail(FAIL_ENCRYPT))
		return -ENOMEM;
	set_decrypted(vaddr, nr_pages, false);
	return 0;
}

bool machine_is_decrypted(unsigned long index)
{
	return !encrypted || reach_encrypted || page_decrypted[index];
}

bool cc_platform_has(enum cc_attr attr)
{
	switch (attr) {
	case CC_ATTR_HOST_MEM_ENCRYPT:
		return encrypted && reach_encrypted;
	case CC_ATTR_GUEST_MEM_ENCRYPT:
		return encrypted && !reach_encrypted;
	default:
		return encrypted;
	}
}

unsigned long machine_alloc_attrs(void)
{
	return encrypted ? __DMA_ATTR_ALLOC_CC_SHARED : 0;
}

u64 machine_shared_bit, machine_encrypted_bit;

/* Does the DMA address say rightly whether the page is encrypted? If not, the device sees noise. */
bool machine_tag_is_right(unsigned long index, dma_addr_t dma)
{
	if (machine_shared_bit)
		return !(dma & machine_shared_bit) == !page_decrypted[index];
	if (machine_encrypted_bit)
		return !(dma & machine_encrypted_bit) == page_decrypted[index];
	return true;
}

bool force_dma_unencrypted(struct device *dev);
bool force_dma_unencrypted(struct device *dev)
{
	return encrypted && !reach_encrypted && !dev->trusted;
}

/* --- memory that was decrypted in advance, for atomic context --- */

struct page *machine_alloc_from_pool(struct device *dev, size_t size, void **cpu_addr,
				     gfp_t gfp,
				     bool (*ok)(struct device *, phys_addr_t, size_t))
{
	unsigned long align = 1UL << get_order(size);
	long first = -1;

	/* As kernel/dma/pool.c of the patched tree does */
	if (no_atomic_pool) {
		machine_warn(!(gfp & __GFP_NOWARN), "no suitable DMA pool");
		return NULL;
	}
	if (machine_should_fail(FAIL_COHERENT))
		return NULL;
	pthread_mutex_lock(&lock);
	if (encrypted)
		first = find_pages(coherent_first + odd_atomic_pool,
				   coherent_first + (COHERENT_SIZE >> PAGE_SHIFT),
				   PFN_UP(size), odd_atomic_pool ? 1 : align, false);
	if (first >= 0 && !ok(dev, machine_page_phys(first), size))
		first = -1;
	if (first >= 0)
		take_pages(first, PFN_UP(size));
	pthread_mutex_unlock(&lock);
	if (first < 0)
		return NULL;
	*cpu_addr = memory + PFN_PHYS(first);
	return &pages[first];
}

bool dma_free_from_pool(struct device *dev, void *start, size_t size)
{
	unsigned long first = ((u8 *)start - memory) >> PAGE_SHIFT, i;

	if (!is_coherent(first))
		return false;
	pthread_mutex_lock(&lock);
	for (i = first; i < first + PFN_UP(size); i++)
		page_used[i] = false;
	pages_in_use -= PFN_UP(size);
	ASAN_POISON_MEMORY_REGION(start, PFN_PHYS(PFN_UP(size)));
	pthread_mutex_unlock(&lock);
	return true;
}

/* --- power --- */

static void map_memory(void)
{
	size_t size = MACHINE_LOW_SIZE + MACHINE_HIGH_SIZE;

	memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		machine_fail("no memory for the machine");
	ASAN_POISON_MEMORY_REGION(memory, size);
}

/* Poison only the pages that are not poisoned yet, so that a reset is fast. */
static void free_all_pages(void)
{
	unsigned long i;

	for (i = 0; i < MACHINE_PAGES; i++)
		if (page_used[i])
			ASAN_POISON_MEMORY_REGION(memory + PFN_PHYS(i), PAGE_SIZE);
}

void machine_memory_reset(const struct machine_config *config)
{
	unsigned long i;

	if (!memory)
		map_memory();
	free_all_pages();
	memset(page_used, 0, sizeof(page_used));
	memset(page_decrypted, 0, sizeof(page_decrypted));
	memset(pages, 0, sizeof(pages));
	pages_in_use = 0;
	objects_in_use = 0;

	highmem = config->highmem;
	encrypted = config->encrypted;
	reach_encrypted = config->reach_encrypted;
	machine_shared_bit = config->shared_bit;
	machine_encrypted_bit = config->encrypted_bit;
	from_top = config->from_top;
	no_atomic_pool = config->no_atomic_pool;
	odd_atomic_pool = config->odd_atomic_pool;
	coherent_first = LOW_PAGES - (COHERENT_SIZE >> PAGE_SHIFT);
	for (i = coherent_first; encrypted && i < LOW_PAGES; i++)
		page_decrypted[i] = true;
}
