// SPDX-License-Identifier: GPL-2.0
/*
 * Runs tests in processes of their own, and prints results as KTAP.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "machine.h"

static void print_as_comments(int fd)
{
	FILE *output = fdopen(fd, "r");
	char line[400];

	while (fgets(line, sizeof(line), output))
		printf("%s%s", *line == '#' ? "" : "# ", line);
	fclose(output);
}

/**
 * ktap_run() - run a test in a process of its own
 * @test:	Called there. Need not return.
 * @arg:	Its argument.
 *
 * What the test prints becomes comments.
 *
 * Return: Exit code of the test, %KTAP_KILLED if a signal or a sanitizer ended it.
 */
int ktap_run(void (*test)(const void *arg), const void *arg)
{
	int status, output[2];
	pid_t child;

	fflush(stdout);
	child = pipe(output) ? -1 : fork();
	if (child < 0) {
		perror("fork");
		exit(2);
	}
	if (!child) {
		dup2(output[1], 1);
		dup2(output[1], 2);
		close(output[0]);
		close(output[1]);
		test(arg);
		exit(0);
	}
	close(output[1]);
	print_as_comments(output[0]);
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return KTAP_KILLED;
	return WEXITSTATUS(status);
}

/**
 * ktap_result() - print the line for a test
 * @number:	Number of the test, from 1.
 * @name:	Name.
 * @code:	What ktap_run() returned.
 *
 * Return: %true if the test passed or was skipped.
 */
bool ktap_result(unsigned int number, const char *name, int code)
{
	bool ok = !code || code == KTAP_SKIPPED;

	printf("%sok %u %s%s\n", ok ? "" : "not ", number, name,
	       code == KTAP_SKIPPED ? " # SKIP" : "");
	return ok;
}
