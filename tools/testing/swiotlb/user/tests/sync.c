// SPDX-License-Identifier: GPL-2.0
/*
 * Syncs of all or a part of a mapping, at any offset, in either direction; and wrong syncs.
 */
#include "test.h"

static void check_bytes(phys_addr_t phys, const u8 *expected, size_t size)
{
	u8 *seen = malloc(size);

	copy_out(seen, phys, size);
	if (memcmp(seen, expected, size))
		machine_fail("the buffer does not hold what it should");
	free(seen);
}

/* A sync of a part of a mapping, at any alignment, copies that part and no more. */
TEST_ALL_FRAMES(sync_partial)
{
	enum { SIZE = 9000 };
	u8 cpu[SIZE], device[SIZE], both[SIZE];
	struct buffer buffer;
	struct device dev;
	u64 random = 17;
	unsigned int i, b;
	size_t from, len;
	dma_addr_t dma;

	boot(variant, "1024");
	device_init(&dev, 32);
	dev.min_align_mask = 0xfff;
	buffer = buffer_alloc(SIZE, 0x345, __GFP_HIGHMEM);
	copy_out(cpu, buffer.phys, SIZE);
	for (i = 0; i < 300; i++) {
		dma = map(&dev, &buffer, DMA_BIDIRECTIONAL);
		for (b = 0; b < SIZE; b++)
			device[b] = machine_random(&random);
		from = machine_random(&random) % SIZE;
		len = 1 + machine_random(&random) % (SIZE - from);
		machine_context("%zu bytes at %zu of %u", len, from, SIZE);

		/* To the CPU */
		EXPECT(machine_dma(&dev, dma, device, SIZE, true));
		swiotlb_sync_single_for_cpu(&dev, dma_to_phys(&dev, dma + from), len,
					    DMA_BIDIRECTIONAL);
		memcpy(both, cpu, SIZE);
		memcpy(both + from, device + from, len);
		check_bytes(buffer.phys, both, SIZE);

		/* To the device */
		fill_random(buffer.phys, SIZE, &random);
		copy_out(cpu, buffer.phys, SIZE);
		swiotlb_sync_single_for_device(&dev, dma_to_phys(&dev, dma + from), len,
					       DMA_BIDIRECTIONAL);
		memcpy(device + from, cpu + from, len);
		EXPECT(machine_dma(&dev, dma, both, SIZE, false));
		EXPECT(!memcmp(both, device, SIZE));

		unmap(&dev, dma, SIZE, DMA_BIDIRECTIONAL);
		check_bytes(buffer.phys, device, SIZE);
		memcpy(cpu, device, SIZE);
	}
	buffer_free(&buffer);
}

/* A mapping takes the slots of two earlier ones. Only its own record counts. */
TEST_ALL_FRAMES(sync_where_two_were)
{
	enum { SLOT = IO_TLB_SIZE };
	struct buffer small[2], large;
	dma_addr_t at[2], dma;
	u8 bytes[2 * SLOT];
	struct device dev;
	u64 random = 5;
	unsigned int i;

	boot(variant, "1024");
	device_init(&dev, 32);
	large = buffer_alloc(2 * SLOT, 0, __GFP_HIGHMEM);
	for (i = 0; i < 2; i++) {
		small[i] = buffer_alloc(SLOT, 0, __GFP_HIGHMEM);
		at[i] = map(&dev, &small[i], DMA_BIDIRECTIONAL);
	}
	EXPECT_EQ(at[1], at[0] + SLOT);
	for (i = 0; i < 2; i++)
		unmap(&dev, at[i], SLOT, DMA_BIDIRECTIONAL);

	dma = map(&dev, &large, DMA_BIDIRECTIONAL);
	EXPECT_EQ(dma, at[0]);
	for (i = 0; i < 2 * SLOT; i++)
		bytes[i] = machine_random(&random);
	EXPECT(machine_dma(&dev, dma, bytes, 2 * SLOT, true));
	swiotlb_sync_single_for_cpu(&dev, dma_to_phys(&dev, dma + SLOT), SLOT,
				    DMA_BIDIRECTIONAL);
	check_bytes(large.phys + SLOT, bytes + SLOT, SLOT);
	unmap(&dev, dma, 2 * SLOT, DMA_BIDIRECTIONAL);
	check_bytes(large.phys, bytes, 2 * SLOT);
	buffer_free(&large);
	buffer_free(&small[1]);
	buffer_free(&small[0]);
}

/* A sync without a direction is reported. */
TEST(sync_without_direction)
{
	struct buffer buffer;
	struct device dev;
	dma_addr_t dma;

	boot(FRAMES_NATIVE, "512");
	device_init(&dev, 32);
	buffer = buffer_alloc(64, 0, __GFP_HIGHMEM);
	dma = map(&dev, &buffer, DMA_FROM_DEVICE);
	swiotlb_sync_single_for_cpu(&dev, dma_to_phys(&dev, dma), 64, DMA_NONE);
	EXPECT_EQ(machine_expect_warning("DMA_TO_DEVICE"), 1);
	swiotlb_sync_single_for_device(&dev, dma_to_phys(&dev, dma), 64, DMA_NONE);
	EXPECT_EQ(machine_expect_warning("DMA_FROM_DEVICE"), 1);
	unmap(&dev, dma, 64, DMA_FROM_DEVICE);
	buffer_free(&buffer);
}

/* A sync beyond the end of the mapping copies only what is mapped, and warns. */
TEST_ALL_FRAMES(sync_past_the_end)
{
	u8 page[4096], seen[4096];
	struct buffer buffer, next;
	dma_addr_t dma, other;
	struct device dev;

	boot(variant, "512,1");
	device_init(&dev, 32);
	buffer = buffer_alloc(1000, 0, __GFP_HIGHMEM);
	next = buffer_alloc(1000, 0, __GFP_HIGHMEM);
	copy_out(page, buffer.phys, 4096);
	dma = map(&dev, &buffer, DMA_BIDIRECTIONAL);
	other = map(&dev, &next, DMA_BIDIRECTIONAL);

	memset(page, 'x', 1000);
	EXPECT(machine_dma(&dev, dma, page, 1000, true));
	swiotlb_sync_single_for_cpu(&dev, dma_to_phys(&dev, dma), 3000, DMA_BIDIRECTIONAL);
	EXPECT_EQ(machine_expect_warning("sync of 3000 bytes, of which only 1000 are mapped"), 1);
	copy_out(seen, buffer.phys, 4096);
	EXPECT(!memcmp(seen, page, 4096));

	/* Behind the end of the mapping, but in its slot */
	swiotlb_sync_single_for_cpu(&dev, dma_to_phys(&dev, dma) + 1500, 10, DMA_BIDIRECTIONAL);
	EXPECT_EQ(machine_expect_warning("sync of 10 bytes, of which only 0 are mapped"), 1);
	copy_out(seen, buffer.phys, 4096);
	EXPECT(!memcmp(seen, page, 4096));
	contract_check_content(&dev, next.phys, next.size, other);

	unmap(&dev, dma, 1000, DMA_BIDIRECTIONAL);
	unmap(&dev, other, 1000, DMA_BIDIRECTIONAL);
	buffer_free(&next);
	buffer_free(&buffer);
}

/* Nothing happens if an address is not in a bounce buffer, or no longer in one. */
TEST_ALL_FRAMES(sync_elsewhere)
{
	struct buffer buffer, second;
	struct device dev;
	u8 before[100];
	dma_addr_t dma;

	boot(variant, "512,1");
	device_init(&dev, 32);
	buffer = buffer_alloc(100, 0, __GFP_HIGHMEM);
	second = buffer_alloc(2048 * 80, 0, __GFP_HIGHMEM);
	copy_out(before, buffer.phys, 100);
	dma = map(&dev, &buffer, DMA_BIDIRECTIONAL);
	unmap(&dev, dma, 100, DMA_BIDIRECTIONAL);
	swiotlb_sync_single_for_cpu(&dev, dma_to_phys(&dev, dma), 100, DMA_BIDIRECTIONAL);
	swiotlb_sync_single_for_cpu(&dev, buffer.phys, 100, DMA_BIDIRECTIONAL);
	swiotlb_sync_single_for_device(&dev, DMA_PHYS_NONE, 100, DMA_BIDIRECTIONAL);
	swiotlb_tbl_unmap_single(&dev, DMA_PHYS_NONE, 100, DMA_BIDIRECTIONAL, 0);
	swiotlb_tbl_unmap_single(&dev, buffer.phys, 100, DMA_BIDIRECTIONAL, 0);
	check_bytes(buffer.phys, before, 100);
	EXPECT_EQ(slots_used(), 0);

	/* A mapping that starts in the first word of a set and ends in the second */
	dma = map(&dev, &second, DMA_BIDIRECTIONAL);
	swiotlb_sync_single_for_cpu(&dev, dma_to_phys(&dev, dma + 2048 * 79), 2048,
				    DMA_BIDIRECTIONAL);
	unmap(&dev, dma, second.size, DMA_BIDIRECTIONAL);
	buffer_free(&second);
	buffer_free(&buffer);
}

/* A sync of 0 bytes, or of a mapping that is gone, does nothing and does not warn. */
TEST_ALL_FRAMES(sync_of_nothing)
{
	struct buffer buffer, gone;
	u8 page[4096], seen[4096];
	dma_addr_t dma, other;
	struct device dev;
	phys_addr_t tlb;

	boot(variant, "512,1");
	device_init(&dev, 32);
	buffer = buffer_alloc(1000, 0, __GFP_HIGHMEM);
	gone = buffer_alloc(3000, 0, __GFP_HIGHMEM);
	dma = map(&dev, &buffer, DMA_BIDIRECTIONAL);
	other = map(&dev, &gone, DMA_BIDIRECTIONAL);
	tlb = dma_to_phys(&dev, other);
	unmap(&dev, other, gone.size, DMA_BIDIRECTIONAL);

	copy_out(page, gone.phys, 4096);
	swiotlb_sync_single_for_cpu(&dev, tlb, 100, DMA_BIDIRECTIONAL);
	swiotlb_sync_single_for_cpu(&dev, tlb + IO_TLB_SIZE, 100, DMA_BIDIRECTIONAL);
	swiotlb_sync_single_for_cpu(&dev, dma_to_phys(&dev, dma), 0, DMA_BIDIRECTIONAL);
	copy_out(seen, gone.phys, 4096);
	EXPECT(!memcmp(seen, page, 4096));
	contract_check_content(&dev, buffer.phys, buffer.size, dma);

	unmap(&dev, dma, buffer.size, DMA_BIDIRECTIONAL);
	buffer_free(&gone);
	buffer_free(&buffer);
}

/* A sync behind the first slot of a mapping that starts in the second word of its set */
TEST(sync_in_second_word)
{
	struct buffer first, second;
	struct device dev;
	dma_addr_t one, two;

	boot(FRAMES_NATIVE, "512,1");
	device_init(&dev, 32);
	first = buffer_alloc(2048 * 66, 0, __GFP_HIGHMEM);
	second = buffer_alloc(2048 * 4, 0, __GFP_HIGHMEM);
	one = map(&dev, &first, DMA_BIDIRECTIONAL);
	two = map(&dev, &second, DMA_BIDIRECTIONAL);
	EXPECT(machine_dma(&dev, two + 5000, "second", 6, true));
	swiotlb_sync_single_for_cpu(&dev, dma_to_phys(&dev, two + 5000), 6, DMA_BIDIRECTIONAL);
	check_bytes(second.phys + 5000, (const u8 *)"second", 6);
	unmap(&dev, two, second.size, DMA_BIDIRECTIONAL);
	unmap(&dev, one, first.size, DMA_BIDIRECTIONAL);
	buffer_free(&second);
	buffer_free(&first);
}

/* Unmapping twice, or where nothing is mapped, is reported and frees no other slots. */
TEST_ALL_FRAMES(unmap_twice)
{
	struct buffer buffer;
	struct device dev;
	dma_addr_t dma, other;

	boot(variant, "512,1");
	device_init(&dev, 32);
	buffer = buffer_alloc(5000, 0, __GFP_HIGHMEM);
	other = map(&dev, &buffer, DMA_TO_DEVICE);
	dma = map(&dev, &buffer, DMA_TO_DEVICE);
	unmap(&dev, dma, 5000, DMA_TO_DEVICE);
	unmap(&dev, dma, 5000, DMA_TO_DEVICE);
	EXPECT_EQ(machine_expect_warning("which is not mapped"), 1);
	EXPECT_EQ(slots_used(), 3);
	contract_check_content(&dev, buffer.phys, 5000, other);
	unmap(&dev, other, 5000, DMA_TO_DEVICE);
	EXPECT_EQ(slots_used(), 0);
	buffer_free(&buffer);
}

/* The mapping starts within its first slot, behind padding. All slots are freed. */
TEST(unmap_within)
{
	struct buffer buffer;
	struct device dev;
	dma_addr_t dma;

	boot(FRAMES_NATIVE, "512,1");
	device_init(&dev, 32);
	dev.min_align_mask = 0xfff;
	buffer = buffer_alloc(20000, 0xe01, __GFP_HIGHMEM);
	dma = map(&dev, &buffer, DMA_TO_DEVICE);
	EXPECT_EQ(slots_used(), 11);
	unmap(&dev, dma, 20000, DMA_TO_DEVICE);
	EXPECT_EQ(slots_used(), 0);
	buffer_free(&buffer);
}
