// SPDX-License-Identifier: GPL-2.0
/*
 * Machine frames of the fake machine, and the hypervisor that exchanges them.
 *
 * Two tables lead from a frame to a page. frame_page tells which memory a device
 * accesses. m2p is the hypervisor's table: for a frame of another domain it has the pfn
 * in that domain.
 */
#include "machine.h"
#include <asm/xen/p2m-leaf.h>

#define IO_TLB_SET_BYTES	((size_t)IO_TLB_SEGSIZE << IO_TLB_SHIFT)

#define FRAMES		(1UL << 21)		/* 8 GiB */
#define CHUNK		512UL			/* 2 MiB: unit of the hypervisor's memory */
#define NR_CHUNKS	24
#define LOW_FRAMES	(1UL << 20)		/* 4 GiB */

unsigned long *xen_p2m_addr;
unsigned long xen_p2m_size;

/* Large enough for the highest page. It has holes, like the real table. */
static unsigned long p2m[(MACHINE_HIGH_START + MACHINE_HIGH_SIZE) >> PAGE_SHIFT];
static u32 frame_page[FRAMES];		/* index of the page, plus one */
static u32 m2p[FRAMES];			/* pfn, plus one */
static u32 touched[1 << 16];		/* frames that were ever connected, may repeat */
static unsigned long nr_touched;
static bool on_xen;

/* Memory of the hypervisor: free frames in chunks, and single ones that it was given */
static unsigned long chunks[NR_CHUNKS];
static bool is_chunk[FRAMES / CHUNK];	/* pages get no random frames from there */
static bool chunk_used[NR_CHUNKS][CHUNK];
static unsigned long singles[MACHINE_PAGES];
static unsigned long nr_singles;
static unsigned long extents_in_use;	/* frames of chunks below 4 GiB */
static bool mapped_twice[MACHINE_PAGES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static unsigned long pfn_of(unsigned long index)
{
	return PHYS_PFN(machine_page_phys(index));
}

static unsigned long entry(unsigned long index)
{
	return READ_ONCE(p2m[pfn_of(index)]);
}

/* The order of the two is that of __set_phys_to_machine(). */
static void set_entry(unsigned long index, unsigned long mfn)
{
	WRITE_ONCE(p2m[pfn_of(index)], mfn);
	xen_p2m_leaf_changed(pfn_of(index));
}

static void connect(unsigned long index, unsigned long mfn)
{
	if (nr_touched == ARRAY_SIZE(touched))
		machine_fail("frames were exchanged too often for one test");
	touched[nr_touched++] = mfn;
	set_entry(index, mfn);
	m2p[mfn] = pfn_of(index) + 1;
	frame_page[mfn] = index + 1;
}

static void disconnect(unsigned long index)
{
	unsigned long mfn = entry(index) & ~FOREIGN_FRAME_BIT;

	if (entry(index) == INVALID_P2M_ENTRY)
		return;
	if (frame_page[mfn] == index + 1) {
		frame_page[mfn] = 0;
		m2p[mfn] = 0;
	}
	set_entry(index, INVALID_P2M_ENTRY);
}

/* --- what the code under test calls --- */

unsigned long __pfn_to_mfn(unsigned long pfn)
{
	if (!on_xen)
		return pfn;
	/* This is MMIO: an identity frame on Xen PV */
	if (!pfn_valid(pfn))
		return IDENTITY_FRAME(pfn);
	return READ_ONCE(p2m[pfn]);
}

unsigned long pfn_to_mfn(unsigned long pfn)
{
	return __pfn_to_mfn(pfn) & ~(FOREIGN_FRAME_BIT | IDENTITY_FRAME_BIT);
}

/* Changes only the entry of the P2M, as in the kernel */
void set_phys_to_machine(unsigned long pfn, unsigned long mfn)
{
	set_entry(machine_page_index(PFN_PHYS(pfn)), mfn);
}

unsigned long bfn_to_local_pfn(unsigned long mfn)
{
	unsigned long pfn;

	if (mfn >= FRAMES || !m2p[mfn])
		return -1UL;
	pfn = m2p[mfn] - 1;
	return __pfn_to_mfn(pfn) == mfn ? pfn : -1UL;
}

/* XENMEM_maximum_ram_page is the number of the frame after the last one. */
long HYPERVISOR_memory_op(unsigned int cmd, void *arg)
{
	return cmd == XENMEM_maximum_ram_page ? (long)FRAMES : -ENOSYS;
}

/* The highest free run of aligned frames below 2^@bits, as Xen has it, or 0 */
static unsigned long find_extent(unsigned long nr, unsigned int bits)
{
	unsigned long best = 0, c, first, i;

	for (c = 0; c < NR_CHUNKS; c++) {
		for (first = 0; first + nr <= CHUNK; first += nr) {
			unsigned long mfn = chunks[c] + first;

			if (bits < 64 && PFN_PHYS(mfn + nr) > 1ULL << bits)
				break;
			for (i = 0; i < nr && !chunk_used[c][first + i]; i++)
				;
			if (i == nr && mfn > best)
				best = mfn;
		}
	}
	return best;
}

/* Which chunk a frame is in, NR_CHUNKS if in none */
static unsigned long chunk_of(unsigned long mfn)
{
	unsigned long c;

	for (c = 0; c < NR_CHUNKS; c++)
		if (mfn >= chunks[c] && mfn < chunks[c] + CHUNK)
			break;
	return c;
}

static void mark_frame(unsigned long c, unsigned long mfn, bool used)
{
	if (chunk_used[c][mfn - chunks[c]] == used)
		machine_fail("frame %#lx is given back twice", mfn);
	chunk_used[c][mfn - chunks[c]] = used;
	if (mfn < LOW_FRAMES)
		extents_in_use += used ? 1 : -1;
}

/* Give the frame of a page back to the hypervisor. */
static void take_frame(unsigned long mfn)
{
	unsigned long c = chunk_of(mfn);

	if (c < NR_CHUNKS)
		mark_frame(c, mfn, false);
	else
		singles[nr_singles++] = mfn;
}

static bool can_be_exchanged(unsigned long first, unsigned long nr)
{
	while (nr--)
		if (mapped_twice[first + nr])
			return false;
	return true;
}

static void scramble(phys_addr_t start, unsigned long nr)
{
	memset(machine_memory(start), 0xa5, nr << PAGE_SHIFT);
}

int xen_create_contiguous_region(phys_addr_t start, unsigned int order,
				 unsigned int address_bits, dma_addr_t *maddr)
{
	unsigned long nr = 1UL << order, first = machine_page_index(start), mfn = 0, i;

	if (!on_xen)
		machine_fail("an exchange without a hypervisor");
	if (offset_in_page(start))
		machine_fail("an exchange of what is not pages");
	if (machine_should_fail(FAIL_EXCHANGE))
		return -ENOMEM;
	if (!can_be_exchanged(first, nr)) {
		scramble(start, nr);
		return -EINVAL;
	}
	pthread_mutex_lock(&lock);
	if (nr <= CHUNK)
		mfn = find_extent(nr, address_bits);
	if (mfn) {
		for (i = 0; i < nr; i++) {
			unsigned long was = entry(first + i);

			mark_frame(chunk_of(mfn + i), mfn + i, true);
			disconnect(first + i);
			take_frame(was);
			connect(first + i, mfn + i);
		}
		*maddr = PFN_PHYS(mfn);
	}
	pthread_mutex_unlock(&lock);
	if (!mfn)
		return -ENOMEM;
	scramble(start, nr);
	return 0;
}

void xen_destroy_contiguous_region(phys_addr_t start, unsigned int order)
{
	unsigned long nr = 1UL << order, first = machine_page_index(start), i;

	scramble(start, nr);
	/* A single page that is not of an extent keeps its frame. */
	if (nr == 1 && !is_chunk[entry(first) / CHUNK])
		return;
	pthread_mutex_lock(&lock);
	for (i = 1; i < nr; i++)
		if (entry(first + i) != entry(first) + i)
			machine_fail("page %#lx is not in an extent", first + i);
	for (i = 0; i < nr; i++) {
		unsigned long was = entry(first + i);

		disconnect(first + i);
		take_frame(was);
	}
	for (i = 0; i < nr; i++)
		connect(first + i, singles[--nr_singles]);
	pthread_mutex_unlock(&lock);
}

/* --- what tests call --- */

/* Which frame is behind a page: on a native machine the page itself */
unsigned long machine_frame_of(unsigned long index)
{
	return on_xen ? entry(index) & ~FOREIGN_FRAME_BIT : pfn_of(index);
}

/* Index of the page whose memory is in a frame, or -1 */
long machine_page_behind(unsigned long mfn)
{
	if (on_xen)
		return mfn < FRAMES ? (long)frame_page[mfn] - 1 : -1;
	return pfn_valid(mfn) ? (long)machine_page_index(PFN_PHYS(mfn)) : -1;
}

/* The page becomes one of another domain, in which it has the number @their_pfn. */
void machine_make_foreign(phys_addr_t phys, unsigned long their_pfn)
{
	unsigned long index = machine_page_index(phys), mfn = entry(index);

	m2p[mfn] = their_pfn + 1;
	set_entry(index, FOREIGN_FRAME(mfn));
}

/* The page has been given to the hypervisor, as ballooning does. */
void machine_make_hole(phys_addr_t phys)
{
	disconnect(machine_page_index(phys));
}

/* Put a frame behind a page. The frame must not be in use. */
void machine_put_frame(phys_addr_t phys, unsigned long mfn)
{
	unsigned long index = machine_page_index(phys);

	if (mfn >= FRAMES || frame_page[mfn])
		machine_fail("frame %#lx is in use", mfn);
	disconnect(index);
	connect(index, mfn);
}

/* The kernel has a second mapping of pages, so the hypervisor does not take them. */
void machine_map_twice(phys_addr_t phys, size_t size)
{
	memset(&mapped_twice[machine_page_index(phys)], true, PFN_UP(size));
}

/* Pages whose frame is followed by that of the next page */
unsigned long machine_contiguous_pages(void)
{
	unsigned long nr = 0, index;

	for (index = 0; index + 1 < MACHINE_PAGES; index++)
		nr += machine_frame_of(index) + 1 == machine_frame_of(index + 1);
	return nr;
}

unsigned long machine_extents_in_use(void)
{
	return extents_in_use;
}

/* From now on the hypervisor has memory for @nr slot sets, the first of it below 4 GiB. */
void machine_limit_extents(unsigned int nr)
{
	unsigned int per_chunk = CHUNK / (IO_TLB_SET_BYTES >> PAGE_SHIFT), c, s;

	for (c = 0; c < NR_CHUNKS; c++)
		for (s = 0; s < CHUNK; s++)
			chunk_used[c][s] = c * per_chunk + s / (CHUNK / per_chunk) >= nr;
}

/* From now on none of the hypervisor's memory is in larger pieces than 2^@order frames. */
void machine_fragment_extents(unsigned int order)
{
	unsigned int c, i;

	for (c = 0; c < NR_CHUNKS; c++)
		for (i = 0; i < CHUNK; i++)
			chunk_used[c][i] |= i >> order & 1;
}

/* --- power --- */

static unsigned long random_chunk(u64 *random, unsigned long begin, unsigned long end)
{
	unsigned long first;

	do
		first = begin + machine_random(random) % ((end - begin) / CHUNK) * CHUNK;
	while (is_chunk[first / CHUNK]);
	is_chunk[first / CHUNK] = true;
	return first;
}

static void shuffle(u64 *random, unsigned long unit)
{
	unsigned long index, i, first;

	for (index = 0; index < MACHINE_PAGES; index += unit) {
		do
			first = machine_random(random) % (FRAMES / unit) * unit;
		while (!first || frame_page[first] || is_chunk[first / CHUNK]);
		for (i = 0; i < unit; i++)
			connect(index + i, first + i);
	}
}

/* Most of the hypervisor's memory is below 4 GiB. Some is within the reach of ISA devices,
 * where there are no pages. */
static void place_chunks(u64 *random)
{
	unsigned long i;

	memset(chunk_used, 0, sizeof(chunk_used));
	for (i = 0; i < NR_CHUNKS; i++) {
		if (i < 2)
			chunks[i] = random_chunk(random, CHUNK, 4 * CHUNK);
		else if (i < NR_CHUNKS - 4)
			chunks[i] = random_chunk(random, 1UL << 12, 1UL << 20);
		else
			chunks[i] = random_chunk(random, 1UL << 20, FRAMES);
	}
}

static unsigned long random_single(u64 *random)
{
	unsigned long mfn;

	do
		mfn = machine_random(random) % FRAMES;
	while (!mfn || frame_page[mfn] || is_chunk[mfn / CHUNK]);
	return mfn;
}

/*
 * The domain is restored from an image. Its pages have other frames, all of them single,
 * and none of them count as extents. Holes remain.
 */
void machine_restore(void)
{
	u64 random = nr_touched;
	unsigned long index;

	for (index = 0; index < MACHINE_PAGES; index++) {
		if (entry(index) == INVALID_P2M_ENTRY)
			continue;
		disconnect(index);
		connect(index, random_single(&random));
	}
	memset(chunk_used, 0, sizeof(chunk_used));
	nr_singles = 0;
	extents_in_use = 0;
}

/* Clear only the entries that were written: the tables are large. */
static void forget_frames(void)
{
	unsigned long i;

	for (i = 0; i < nr_touched; i++) {
		frame_page[touched[i]] = 0;
		m2p[touched[i]] = 0;
	}
	nr_touched = 0;
	if (xen_p2m_addr != p2m)
		memset(p2m, 0xff, sizeof(p2m));
	for (i = 0; i < MACHINE_PAGES; i++)
		p2m[pfn_of(i)] = INVALID_P2M_ENTRY;
}

void machine_frames_reset(const struct machine_config *config)
{
	unsigned long index, offset = config->frames == FRAMES_OFFSET ? 0x12345 : 0;
	u64 random = config->seed ^ 0x6672616d6573;

	xen_p2m_nr_leaves = 0;
	forget_frames();
	on_xen = config->frames != FRAMES_NATIVE;
	nr_singles = 0;
	extents_in_use = 0;
	memset(mapped_twice, 0, sizeof(mapped_twice));

	xen_p2m_addr = p2m;
	xen_p2m_size = on_xen ? ARRAY_SIZE(p2m) : 0;
	if (!on_xen)
		return;
	memset(is_chunk, 0, sizeof(is_chunk));
	if (config->frames == FRAMES_IDENTITY || config->frames == FRAMES_OFFSET) {
		for (index = 0; index < MACHINE_PAGES; index++) {
			connect(index, pfn_of(index) + offset);
			is_chunk[(pfn_of(index) + offset) / CHUNK] = true;
		}
		place_chunks(&random);
		return;
	}
	place_chunks(&random);
	shuffle(&random, config->frames == FRAMES_BY_2M ? CHUNK : 1);
}
