/* Windows: files, directories, and trusted roots, which are in a store of the system. Paths are
   UTF-8; other paths are taken to be in the code page of the process. */
#include "core/os/win32/win32.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wincrypt.h>

#include "core/base/memory.h"

/* ---- paths ---- */

/* Converts a path for the system, in memory from memory_allocate. Returns NULL with *failure set.
 */
static wchar_t *wide_path(const char *path, int *failure) {
    UINT page = CP_UTF8;
    int length = MultiByteToWideChar(page, MB_ERR_INVALID_CHARS, path, -1, NULL, 0);
    if (length == 0) {
        page = CP_ACP;
        length = MultiByteToWideChar(page, 0, path, -1, NULL, 0);
    }
    wchar_t *wide = length > 0 ? memory_allocate((size_t)length * sizeof *wide) : NULL;
    if (wide == NULL) {
        *failure = length > 0 ? ERROR_NOT_ENOUGH_MEMORY : (int)GetLastError();
        return NULL;
    }
    (void)MultiByteToWideChar(page, 0, path, -1, wide, length);
    return wide;
}

/* Returns "directory/name" in UTF-8, from memory_allocate, or NULL without memory. */
static char *joined_path(const char *directory, const wchar_t *name) {
    int length = WideCharToMultiByte(CP_UTF8, 0, name, -1, NULL, 0, NULL, NULL);
    size_t before = strlen(directory);
    char *path = memory_allocate(before + 1 + (size_t)length + 1);
    if (path != NULL) {
        memcpy(path, directory, before);
        path[before] = '/';
        path[before + 1] = '\0';
        (void)WideCharToMultiByte(CP_UTF8, 0, name, -1, path + before + 1, length, NULL, NULL);
    }
    return path;
}

/* ---- files ---- */

/* Reads as many bytes as GetFileSizeEx has announced; ignores what was appended since. */
static int read_all(HANDLE file, uint8_t *bytes, size_t expected, size_t *size) {
    enum { PIECE = 1 << 30 };
    while (*size < expected) {
        size_t left = expected - *size;
        DWORD got = 0;
        if (!ReadFile(file, bytes + *size, left < PIECE ? (DWORD)left : PIECE, &got, NULL)) {
            return (int)GetLastError();
        }
        if (got == 0) {
            return 0;
        }
        *size += got;
    }
    return 0;
}

static int read_open_file(HANDLE file, size_t limit, uint8_t **bytes, size_t *size) {
    LARGE_INTEGER expected;
    if (!GetFileSizeEx(file, &expected)) {
        return (int)GetLastError();
    }
    if ((uint64_t)expected.QuadPart > limit) {
        return OS_TOO_LARGE;
    }
    uint8_t *room = memory_allocate((size_t)expected.QuadPart + 1);
    if (room == NULL) {
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    size_t got = 0;
    int failure = read_all(file, room, (size_t)expected.QuadPart, &got);
    if (failure != 0) {
        os_wipe(room, got);
        memory_free(room);
        return failure;
    }
    *bytes = room;
    *size = got;
    return 0;
}

int os_read_file(const char *path, size_t limit, uint8_t **bytes, size_t *size) {
    *bytes = NULL;
    *size = 0;
    int failure = 0;
    wchar_t *wide = wide_path(path, &failure);
    if (wide == NULL) {
        return failure;
    }
    DWORD attributes = GetFileAttributesW(wide);
    HANDLE file = INVALID_HANDLE_VALUE;
    if (attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0) {
        failure = OS_IS_DIRECTORY;
    } else {
        file = CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                           OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
        failure = file != INVALID_HANDLE_VALUE ? 0 : (int)GetLastError();
    }
    memory_free(wide);
    if (failure != 0) {
        return failure;
    }
    failure = read_open_file(file, limit, bytes, size);
    (void)CloseHandle(file);
    return failure;
}

bool os_file_exists(const char *path) {
    int failure = 0;
    wchar_t *wide = wide_path(path, &failure);
    bool there = wide != NULL && GetFileAttributesW(wide) != INVALID_FILE_ATTRIBUTES;
    memory_free(wide);
    return there;
}

/* Finds the first entry of a directory. */
static HANDLE find_first(const char *directory, WIN32_FIND_DATAW *found, int *failure) {
    char *pattern = joined_path(directory, L"*");
    wchar_t *wide = NULL;
    *failure = ERROR_NOT_ENOUGH_MEMORY;
    if (pattern != NULL) {
        wide = wide_path(pattern, failure);
        memory_free(pattern);
    }
    if (wide == NULL) {
        return INVALID_HANDLE_VALUE;
    }
    HANDLE search = FindFirstFileW(wide, found);
    *failure = search != INVALID_HANDLE_VALUE ? 0 : (int)GetLastError();
    memory_free(wide);
    return search;
}

int os_each_file(const char *directory, void (*each)(void *argument, const char *path),
                 void *argument) {
    WIN32_FIND_DATAW found;
    int failure = 0;
    HANDLE search = find_first(directory, &found, &failure);
    if (search == INVALID_HANDLE_VALUE) {
        return failure;
    }
    do {
        if ((found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) == 0) {
            char *path = joined_path(directory, found.cFileName);
            if (path == NULL) {
                failure = ERROR_NOT_ENOUGH_MEMORY;
                break;
            }
            each(argument, path);
            memory_free(path);
        }
    } while (FindNextFileW(search, &found));
    if (failure == 0 && GetLastError() != ERROR_NO_MORE_FILES) {
        failure = (int)GetLastError();
    }
    (void)FindClose(search);
    return failure;
}

const char os_path_list_separator = ';';

const char *os_environment(const char *name) {
    return getenv(name);
}

/* ---- modules ---- */

void os_keep_loaded(void) {
    HMODULE own = NULL;
    const DWORD pinned = GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS;
    (void)GetModuleHandleExW(pinned, (LPCWSTR)(const void *)os_root_bundles, &own);
}

/* ---- roots ---- */

const char *const os_root_bundles[] = {NULL};

int os_each_root(void (*each)(void *argument, const uint8_t *der, size_t size), void *argument) {
    HCERTSTORE store = CertOpenSystemStoreW(0, L"ROOT");
    if (store == NULL) {
        return (int)GetLastError();
    }
    /* Each call frees the previous certificate. */
    const CERT_CONTEXT *one = CertEnumCertificatesInStore(store, NULL);
    while (one != NULL) {
        each(argument, one->pbCertEncoded, one->cbCertEncoded);
        one = CertEnumCertificatesInStore(store, one);
    }
    (void)CertCloseStore(store, 0);
    return 0;
}
