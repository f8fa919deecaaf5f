// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the entry for a fuzzer without a fuzzer: on each file named, or on standard input.
 * Prints the name first, so that the last line before a failure is the file that fails.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

#define MAX_SIZE	65536

static void run(FILE *file, const char *name)
{
	u8 *data = malloc(MAX_SIZE);
	size_t size;

	if (!file || !data) {
		perror(name);
		exit(2);
	}
	fprintf(stderr, "%s\n", name);
	size = fread(data, 1, MAX_SIZE, file);
	/* Exactly the size of the data, so that AddressSanitizer finds reads beyond it */
	data = realloc(data, size ? size : 1);
	fuzz_one(data, size);
	free(data);
	fclose(file);
}

int main(int argc, char **argv)
{
	int i;

	if (argc == 1)
		run(stdin, "standard input");
	for (i = 1; i < argc; i++)
		run(fopen(argv[i], "r"), argv[i]);
	return 0;
}
