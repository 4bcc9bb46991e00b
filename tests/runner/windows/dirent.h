/* For Windows: a directory is /proc/self/fd here, whatever its name, and has the open sockets. */
#ifndef TESTS_RUNNER_WINDOWS_DIRENT_H
#define TESTS_RUNNER_WINDOWS_DIRENT_H

struct dirent {
    char d_name[16];
};

typedef struct test_directory DIR;

DIR *opendir(const char *path);
struct dirent *readdir(DIR *directory);
int closedir(DIR *directory);

#endif
