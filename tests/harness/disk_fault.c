/* A disk that fails on demand, for tests of dbtop. Loaded into dbtop alone with LD_PRELOAD (see fault.rs, which compiles it).
 *
 * The file that DBTOP_DISK_FAULT names says how the disk fails, for every file with "history.db" in its path:
 *   (empty)  all is well        EIO, ENOSPC, EDQUOT  writing and syncing fail so
 *   EROFS    writing, syncing and opening to write fail so        read EIO  reading fails so
 * Everything else passes through. It is looked at with each call, so a test can change it at any time. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum access { READING, WRITING, OPENING };

/* The errno that this access has to fail with; 0: none. Asks the kernel itself, so that it never meets its own functions. */
static int fault(enum access access)
{
    char said[32] = "";
    const char *path = getenv("DBTOP_DISK_FAULT");
    long fd = path ? syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return 0;
    long bytes = syscall(SYS_read, fd, said, sizeof said - 1);
    syscall(SYS_close, fd);
    said[bytes > 0 ? bytes : 0] = 0;
    said[strcspn(said, "\n")] = 0;
    if (access == READING)
        return strcmp(said, "read EIO") ? 0 : EIO;
    if (!strcmp(said, "EROFS"))
        return EROFS;
    if (access == OPENING)
        return 0;
    return !strcmp(said, "EIO") ? EIO : !strcmp(said, "ENOSPC") ? ENOSPC : !strcmp(said, "EDQUOT") ? EDQUOT : 0;
}

/* True, with errno set, if a call on this file has to fail; a call that goes on finds errno as it was. */
static int fails(int fd, enum access access)
{
    char link[64], path[4096];
    int before = errno, found = 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length > 0) {
        path[length] = 0;
        found = strstr(path, "history.db") ? fault(access) : 0;
    }
    errno = found ? found : before;
    return found;
}

static int refuses(const char *path, int flags)
{
    int found = strstr(path, "history.db") && flags & (O_WRONLY | O_RDWR | O_CREAT) ? fault(OPENING) : 0;
    if (found)
        errno = found;
    return found;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define CALL(access, type, name, takes, gives) \
    type name takes { return fails(fd, access) ? -1 : NEXT(name) gives; }

CALL(READING, ssize_t, read, (int fd, void *to, size_t n), (fd, to, n))
CALL(READING, ssize_t, pread, (int fd, void *to, size_t n, off_t at), (fd, to, n, at))
CALL(READING, ssize_t, pread64, (int fd, void *to, size_t n, off64_t at), (fd, to, n, at))
CALL(WRITING, ssize_t, write, (int fd, const void *from, size_t n), (fd, from, n))
CALL(WRITING, ssize_t, pwrite, (int fd, const void *from, size_t n, off_t at), (fd, from, n, at))
CALL(WRITING, ssize_t, pwrite64, (int fd, const void *from, size_t n, off64_t at), (fd, from, n, at))
CALL(WRITING, int, fsync, (int fd), (fd))
CALL(WRITING, int, fdatasync, (int fd), (fd))
CALL(WRITING, int, ftruncate, (int fd, off_t n), (fd, n))
CALL(WRITING, int, ftruncate64, (int fd, off64_t n), (fd, n))

/* The mode is there only with O_CREAT; reading it without is harmless where arguments travel in registers. */
#define OPEN(name) \
    int name(const char *path, int flags, ...) \
    { \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = va_arg(rest, mode_t); \
        va_end(rest); \
        return refuses(path, flags) ? -1 : NEXT(name)(path, flags, mode); \
    }

OPEN(open)
OPEN(open64)
