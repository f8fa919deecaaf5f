// SPDX-License-Identifier: GPL-2.0
/*
 * What the bytes of a step mean. Zero is always the plainest choice, because shrinking
 * sets bytes to zero.
 */
#include "steps.h"

static const char *const op_names[NR_OPS] = {
	"map", "map for IOMMU", "unmap", "sync for CPU", "sync for device",
	"device reads", "device writes", "CPU writes", "change CPU", "grow", "grace period",
	"fail", "unmap free slot", "sync free slot", "foreign page", "reset hiwater",
	"alloc", "map largest", "free idle pools", "hostile call",
};

const char *const failure_names[NR_FAILURES] = {
	"memblock", "kmalloc", "pages", "exchange", "decrypt", "encrypt", "coherent",
};

/* How often an operation is chosen */
static const struct {
	u8 op;
	u8 weight;
} weights[] = {
	{ OP_MAP, 15 }, { OP_HOSTILE, 1 }, { OP_MAP_IOMMU, 4 }, { OP_SHRINK, 1 }, { OP_UNMAP, 12 },
	{ OP_SHRINK, 1 }, { OP_SYNC_CPU, 4 },
	{ OP_SYNC_DEVICE, 4 }, { OP_DEVICE_READ, 1 }, { OP_DEVICE_WRITE, 5 },
	{ OP_CPU_WRITE, 3 }, { OP_CPU, 3 }, { OP_GROW, 1 }, { OP_GRACE, 1 }, { OP_FAIL, 1 },
	{ OP_UNMAP_FREE, 1 }, { OP_SYNC_FREE, 1 }, { OP_FOREIGN, 1 }, { OP_HIWATER, 1 },
	{ OP_ALLOC, 2 }, { OP_LARGEST, 1 },
};

#define ALL_WEIGHTS	64

enum op op_of(const struct step *step)
{
	unsigned int number = step->op % ALL_WEIGHTS, i;

	for (i = 0; number >= weights[i].weight; i++)
		number -= weights[i].weight;
	return weights[i].op;
}

u8 op_code(enum op op)
{
	unsigned int number = 0, i;

	for (i = 0; weights[i].op != op; i++)
		number += weights[i].weight;
	return number;
}

/* --- header --- */

void machine_of(const struct step *step, struct machine_choice *choice)
{
	static const unsigned int slots[] = { 512, 128, 256, 384, 1024, 512, 640, 2048 };
	static const unsigned int areas[] = { 1, 2, 4, 8, 2, 4, 16, 32 };
	struct machine_config *config = &choice->config;
	const char *force = step->who & BIT(2) ? ",force" : "";
	unsigned int nslots = slots[step->place & 7];

	memset(choice, 0, sizeof(*choice));
	config->frames = (step->op & 7) % NR_FRAMES;
	config->cpus = 1 + (step->op >> 3 & 7);
	config->highmem = step->who & BIT(0);
	config->encrypted = step->who & BIT(1) && config->frames == FRAMES_NATIVE;
	config->flags = step->who & BIT(3) ? SWIOTLB_ANY : 0;
	config->seed = step->size & 0xffff;
	config->param = choice->param;
	if (step->who & BIT(4))
		sprintf(choice->param, "%u,%u%s", nslots, areas[step->place >> 3 & 7], force);
	else
		sprintf(choice->param, "%u%s", nslots, force);

	if (step->who & BIT(5) && config->frames == FRAMES_NATIVE)
		choice->restricted_size = (1 + (step->place >> 8) * 2) * PAGE_SIZE;
	choice->fail = (step->size >> 16 & 15) % NR_FAILURES;
	choice->fail_nth = step->size >> 20 & 7;
}

/* An address in the memory where a native machine has its pool, also within a set */
static u64 split_of(const struct step *step)
{
	u64 split = MACHINE_LOW_START + MACHINE_LOW_SIZE -
		(step->size % 16 + 1) * IO_TLB_SET_BYTES;

	return step->size >> 16 & 3 ? split : split + (step->size >> 10 & 63) * PAGE_SIZE;
}

/* Offsets are any number of pages, so such a device sees sets that are aligned to a page only. */
static void range_map_of(const struct step *step, struct bus_dma_region *map)
{
	u64 split = split_of(step), skew = (step->size >> 4 & 63) * PAGE_SIZE;

	memset(map, 0, 3 * sizeof(*map));
	switch (step->who >> 4 & 3) {
	case 1:
		map[0] = (struct bus_dma_region){ 0, skew, 1ULL << 33 };
		break;
	case 2:
		map[0] = (struct bus_dma_region){ 0, (1ULL << 28) + skew, split };
		map[1] = (struct bus_dma_region){ split, 0, 1ULL << 28 };
		break;
	case 3:
		map[0] = (struct bus_dma_region){ split, skew, 1ULL << 33 };
		break;
	}
}

void device_of(const struct step *step, struct device_choice *choice)
{
	static const u8 bits[] = {
		64, 32, 24, 25, 26, 28, 30, 31, 32, 32, 33, 36, 40, 48, 64, 64
	};
	static const unsigned int align[] = {
		0, 0xfff, 0x1ff, 0xffff, 0, 0x7ff, 0x1fff, 0x3ffff,
		0, 0xfff, 0x3fff, 0x1ffff, 0, 0xfff, 0x3ff, 0x7fff,
	};
	static const u64 boundary[] = {
		U32_MAX, U64_MAX, 0xffff, 0xfff, 0x1fff, 0x7fff, 0x3ffff, 0x1ffff,
		U32_MAX, U64_MAX, 0xfffff, 0xffffff, U32_MAX, 0x3fff, U32_MAX, 0xffff,
	};

	choice->mask_bits = bits[step->op & 15];
	choice->min_align_mask = align[step->op >> 4];
	choice->boundary = boundary[step->who & 15];
	choice->bus_dma_limit = 0;
	if (step->who & BIT(6))
		choice->bus_dma_limit = ((step->place & 0xfff) + 1ULL) *
			(8192U << (step->place >> 12 & 3) * 2) - (step->size >> 20) - 1;
	range_map_of(step, choice->range_map);
}

/* --- operands --- */

/* A multiple of 16; or more than a set; or far too much; or 0 */
static size_t unusual_size(u32 rest)
{
	if (rest % 4)
		return rest % 1024 * 16;
	if (rest % 8)
		return IO_TLB_SET_BYTES + 1 + (rest >> 3) % (448 * SZ_1K);
	return rest % 16 ? SIZE_MAX - rest : 0;
}

/* Any size, but often near that of a slot, a page or a set. Zero means one byte. */
size_t size_of(const struct step *step)
{
	static const size_t marks[] = {
		2048, 512, 4096, 2048, 6144, 4096, 8192, 16384, 4096, 65536, 8192, 131072,
		4096, 258048, 12288, 262144
	};
	u32 rest = (step->size & 0x1fffffff) >> 4;

	switch (step->size & 15) {
	case 6 ... 8:
		return 1 + rest % 16384;
	case 9 ... 10:
		return 1 + rest % 65536;
	case 11:
		return 1 + rest % (rest % 3 ? SZ_64K : IO_TLB_SET_BYTES);
	case 5:
		return 1 + rest % (rest % 7 ? 4096 : 448 * SZ_1K + IO_TLB_SET_BYTES);
	case 12 ... 14:
		return marks[rest % ARRAY_SIZE(marks)] + (step->size & 15) - 13;
	case 15:
		return unusual_size(rest);
	default:
		return 1 + rest % 4096;
	}
}

/* Offset in the memory for original buffers */
size_t place_of(const struct step *step)
{
	size_t offset = step->place & 0xfff;

	if (!(offset & 1))
		offset &= ~511UL;
	return (step->place >> 12) * PAGE_SIZE + offset;
}

unsigned int align_mask_of(const struct step *step)
{
	static const unsigned int masks[] = {
		0, 0xfff, 0xfff, 0x3fff, 0xffff, 0x3ffff, 0x7ff, 0xfff
	};

	return masks[step->size >> 29];
}

enum dma_data_direction dir_of(const struct step *step)
{
	return (step->who >> 2 & 3) % 3;
}

unsigned long attrs_of(const struct step *step)
{
	return step->who & BIT(4) ? DMA_ATTR_SKIP_CPU_SYNC : 0;
}

/*
 * A part of @whole bytes; half of the time all of it. One time in 32 it goes beyond
 * the end, and then true is returned.
 */
bool part_of(const struct step *step, size_t whole, size_t *offset, size_t *size)
{
	*offset = 0;
	*size = whole;
	if (!(step->who & BIT(5)))
		return false;
	*offset = (step->size >> 8) % whole;
	*size = 1 + step->size % (whole - *offset);
	if (step->size % 32 != 31)
		return false;
	*size = whole - *offset + 1 + (step->size >> 5) % 64;
	return true;
}

/* --- for people --- */

static void describe_machine(const struct step *step, char *text, size_t size)
{
	static const char *const frames[] = { "native", "identity", "offset", "by page", "by 2M" };
	struct machine_choice m;
	int n;

	machine_of(step, &m);
	n = snprintf(text, size, "machine: %s, %u CPUs, swiotlb=%s%s%s%s, seed %llu",
		     frames[m.config.frames], m.config.cpus, m.param,
		     m.config.flags & SWIOTLB_ANY ? ", ANY" : "",
		     m.config.highmem ? ", highmem" : "",
		     m.config.encrypted ? ", encrypted" : "", m.config.seed);
	if (m.restricted_size)
		n += snprintf(text + n, size - n, ", restricted pool of %zu", m.restricted_size);
	if (m.fail_nth)
		snprintf(text + n, size - n, ", %s fails at %u", failure_names[m.fail], m.fail_nth);
}

static void describe_device(const struct step *step, unsigned int i, char *text, size_t size)
{
	struct device_choice d;
	unsigned int r;
	int n;

	device_of(step, &d);
	n = snprintf(text, size, "dev%u: %u bits, min_align_mask %#x, boundary %#lx", i,
		     d.mask_bits, d.min_align_mask, d.boundary);
	if (d.bus_dma_limit)
		n += snprintf(text + n, size - n, ", bus limit %#llx", d.bus_dma_limit);
	for (r = 0; d.range_map[r].size; r++)
		n += snprintf(text + n, size - n, ", %#llx+%#llx at %#llx",
			      d.range_map[r].cpu_start, d.range_map[r].size,
			      d.range_map[r].dma_start);
}

static void describe_map(const struct step *step, char *text, size_t size)
{
	static const char *const dirs[] = { "both ways", "to device", "from device" };
	enum op op = op_of(step);
	int n;

	n = snprintf(text, size, "%s dev%u", op_names[op], step->who & 3);
	if (op != OP_LARGEST)
		n += snprintf(text + n, size - n, " size %zu", size_of(step));
	if (op == OP_ALLOC)
		return;
	n += snprintf(text + n, size - n, " at %#zx of %s buffers, %s", place_of(step),
		      step->who & BIT(6) ? "low" : "high", dirs[dir_of(step)]);
	if (op == OP_MAP_IOMMU)
		n += snprintf(text + n, size - n, ", aligned to %#x", align_mask_of(step));
	if (step->who & BIT(4))
		n += snprintf(text + n, size - n, ", SKIP_CPU_SYNC");
	if (step->who & BIT(7))
		snprintf(text + n, size - n, ", atomic");
}

/* Describe a step. The mapping that it is about is known only when it runs. */
void describe(const struct step *steps, unsigned int i, char *text, size_t size)
{
	const struct step *step = &steps[i];

	if (i == 0)
		return describe_machine(step, text, size);
	if (i < HEADER_STEPS)
		return describe_device(step, i - 1, text, size);
	switch (op_of(step)) {
	case OP_MAP:
	case OP_MAP_IOMMU:
	case OP_ALLOC:
	case OP_LARGEST:
		describe_map(step, text, size);
		break;
	case OP_UNMAP:
		snprintf(text, size, "unmap%s", attrs_of(step) ? ", SKIP_CPU_SYNC" : "");
		break;
	default:
		snprintf(text, size, "%s", op_names[op_of(step)]);
	}
}
