// SPDX-License-Identifier: GPL-2.0
/*
 * The tests.
 */
#include "threads.h"

const struct scenario scenarios[] = {
	{
		/* Only its CPU uses an area as long as there is room. */
		.name = "own_area", .param = "1024,4", .cpus = 4, .threads = 4,
		.steps = 400, .max_open = 8, .max_size = 4096, .sync = 20,
		.own_area = true, .run = load_run,
	}, {
		/* More threads than areas, and less room than they want */
		.name = "shared", .param = "256,2", .cpus = 4, .threads = 6,
		.steps = 400, .max_open = 24, .max_size = 8192, .hand_over = 10, .sync = 10,
		.must_fail = true, .run = load_run,
	}, {
		/* Unmapped on another CPU than mapped */
		.name = "hand_over", .param = "1024,4", .cpus = 4, .threads = 4,
		.steps = 400, .max_open = 16, .max_size = 8192, .hand_over = 40, .sync = 10,
		.run = load_run,
	}, {
		/* All slots are in the same words: starts are searched while others change. */
		.name = "neighbours", .param = "128,1", .cpus = 4, .threads = 4,
		.steps = 800, .max_open = 14, .max_size = 4096, .hand_over = 5, .sync = 10,
		.beside = beside_sync, .run = load_run,
	}, {
		/* Transient pools, pools that are added, tables that are replaced */
		.name = "growth", .param = "128,1", .cpus = 4, .threads = 4,
		.steps = 400, .max_open = 48, .max_size = MAX_SIZE, .hand_over = 25, .sync = 10,
		.grows = true, .run = load_run,
	}, {
		.name = "growth_areas", .param = "512,4", .cpus = 4, .threads = 4,
		.steps = 500, .max_open = 60, .max_size = MAX_SIZE, .hand_over = 25, .sync = 10,
		.grows = true, .run = load_run,
	}, {
		/* Transient pools come from memory that was decrypted in advance. */
		.name = "growth_encrypted", .param = "128,1", .encrypted = true, .cpus = 4,
		.threads = 4, .steps = 400, .max_open = 48, .max_size = MAX_SIZE,
		.hand_over = 25, .sync = 10, .grows = true, .run = load_run,
	}, {
		/* The high-water mark is read and reset meanwhile. */
		.name = "hiwater", .param = "512,4", .cpus = 4, .threads = 4,
		.steps = 400, .max_open = 24, .max_size = 8192, .hand_over = 10,
		.beside = beside_hiwater, .run = load_run,
	}, {
		.name = "hiwater_growth", .param = "256,2", .cpus = 4, .threads = 4,
		.steps = 400, .max_open = 48, .max_size = 8192, .hand_over = 10,
		.grows = true, .beside = beside_hiwater, .run = load_run,
	}, {
		/* The first bounce buffer of a device, seen from another CPU */
		.name = "first_use", .param = "128,1", .cpus = 4, .grows = true,
		.run = special_first_use,
	}, {
		/* A software IO TLB is set up while devices already try to map. */
		.name = "late_init", .cpus = 4, .run = special_late_init,
	}, {
		/* Pages and mappings of one restricted pool */
		.name = "restricted", .param = "128,1", .cpus = 4, .threads = 4,
		.run = special_restricted,
	}, {
		.name = "xen_shared", .frames = FRAMES_BY_PAGE, .param = "256,2", .cpus = 4,
		.threads = 6, .steps = 400, .max_open = 24, .max_size = 8192,
		.hand_over = 20, .sync = 10, .must_fail = true, .run = load_run,
	}, {
		.name = "xen_neighbours", .frames = FRAMES_BY_PAGE, .param = "128,1",
		.cpus = 4, .threads = 4, .steps = 600, .max_open = 14, .max_size = 4096,
		.sync = 10, .beside = beside_sync, .run = load_run,
	}, {
		/* Few transient pools: mappings fail until the worker has added one. */
		.name = "xen_growth", .frames = FRAMES_BY_PAGE, .param = "128,1", .cpus = 4,
		.threads = 4, .steps = 600, .max_open = 40, .max_size = MAX_SIZE,
		.hand_over = 25, .sync = 10, .grows = true, .must_fail = true,
		.beside = beside_hiwater, .run = load_run,
	}, {
		.name = "spans", .param = "2048,8", .cpus = 4,
		.run = special_spans,
	}, {
		/* Less room than is wanted: pools are added and freed. */
		.name = "spans_growth", .param = "1024,4", .cpus = 4, .grows = true,
		.run = special_spans,
	}, {
		.name = "xen_spans_growth", .frames = FRAMES_BY_2M, .param = "1024,4", .cpus = 4,
		.grows = true, .run = special_spans,
	}, {
		/* Entries of the P2M change hands while their leaf is read. */
		.name = "xen_leaf", .frames = FRAMES_OFFSET, .param = "128,1", .cpus = 4,
		.run = special_leaf,
	},
};

const unsigned int nr_scenarios = ARRAY_SIZE(scenarios);
