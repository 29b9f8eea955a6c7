/* Stands between a program and one folder (LD_PRELOAD, Linux): writes down what is done to the files in it, and can cut
 * the power or play a disk in trouble.
 *
 * What the program writes reaches the folder at once, as it would reach the page cache. What a disk would have kept of it
 * is for the reader of the log to say: src/disk.rs.
 *
 *   MOA_DISK            the folder, absolute, without symbolic links
 *   MOA_DISK_LOG        where the log goes
 *   MOA_DISK_CUT        the process dies instead of taking this step (1 is the first)
 *   MOA_DISK_LIES       syncs of the database are not written down: the disk, or a setting, skips them
 *   MOA_DISK_FULL       while this file exists, no file grows
 *   MOA_DISK_READ_ONLY  while this file exists, nothing can be written
 *   MOA_DISK_FAILS      while this file exists, a sync fails
 *
 * A record: kind (1), inode (8), offset (8), length (4), then that many bytes; little-endian. SQLite's shared memory (-shm)
 * is no part of the disk: it is made anew at every start. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES 65536
enum { OTHER, FILE_OF_OURS, FOLDER };
enum { CREATED = 1, EMPTIED = 2 };

static struct { uint8_t what; uint8_t database; uint64_t inode; } open_files[FILES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *folder, *full, *read_only, *fails;
static size_t folder_length;
static int log_file = -1, lies;
static uint64_t steps, cut;

static uint64_t number(const char *name) {
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : 0;
}

__attribute__((constructor)) static void begin(void) {
    const char *log = getenv("MOA_DISK_LOG");
    folder = getenv("MOA_DISK");
    if (!folder || !log) {
        folder = NULL;
        return;
    }
    folder_length = strlen(folder);
    log_file = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    cut = number("MOA_DISK_CUT");
    lies = getenv("MOA_DISK_LIES") != NULL;
    full = getenv("MOA_DISK_FULL");
    read_only = getenv("MOA_DISK_READ_ONLY");
    fails = getenv("MOA_DISK_FAILS");
}

static int holds(const char *flag) { return flag && syscall(SYS_faccessat, AT_FDCWD, flag, F_OK) == 0; }

/* The name within the folder; null for a path elsewhere, and for shared memory. */
static const char *name_of(const char *path) {
    if (!folder || !path || strncmp(path, folder, folder_length) != 0 || path[folder_length] != '/') return NULL;
    const char *name = path + folder_length + 1;
    size_t length = strlen(name);
    if (length == 0 || (length >= 4 && strcmp(name + length - 4, "-shm") == 0)) return NULL;
    return name;
}

static int is_ours(int fd) { return fd >= 0 && fd < FILES && open_files[fd].what == FILE_OF_OURS; }

/* Before every step that a disk would take. The lock is held. */
static void step(void) {
    if (++steps == cut) {
        syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
        for (;;) syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
    }
}

static void record(char kind, uint64_t inode, uint64_t offset, const void *bytes, size_t length) {
    unsigned char head[21];
    uint32_t short_length = (uint32_t)length;
    head[0] = (unsigned char)kind;
    memcpy(head + 1, &inode, 8);
    memcpy(head + 9, &offset, 8);
    memcpy(head + 17, &short_length, 4);
    struct iovec parts[2] = {{head, sizeof head}, {(void *)bytes, length}};
    if (syscall(SYS_writev, log_file, parts, 2) != (long)(sizeof head + length)) abort();
}

static int denied(int error) {
    errno = error;
    return -1;
}

static int open_at(int at, const char *path, int flags, mode_t mode) {
    const char *name = name_of(path);
    int is_folder = folder && path && strcmp(path, folder) == 0;
    if (!name && !is_folder) return (int)syscall(SYS_openat, at, path, flags, mode);
    pthread_mutex_lock(&lock);
    int writes = (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC));
    if (writes && holds(read_only)) {
        pthread_mutex_unlock(&lock);
        return denied(EROFS);
    }
    int existed = syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0;
    int fd = (int)syscall(SYS_openat, at, path, flags, mode), error = errno;
    struct stat found;
    if (fd >= 0 && fd < FILES && fstat(fd, &found) == 0) {
        open_files[fd].what = is_folder ? FOLDER : FILE_OF_OURS;
        open_files[fd].inode = found.st_ino;
        if (name) {
            open_files[fd].database = strncmp(name, "moa.db", 6) == 0;
            uint64_t how = (existed ? 0 : CREATED) | (flags & O_TRUNC ? EMPTIED : 0);
            record('O', found.st_ino, how, name, strlen(name));
        }
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return fd;
}

#define MODE_OF(last)                                                                                                  \
    mode_t mode = 0;                                                                                                   \
    if (flags & (O_CREAT | __O_TMPFILE)) {                                                                             \
        va_list more;                                                                                                  \
        va_start(more, last);                                                                                          \
        mode = va_arg(more, mode_t);                                                                                   \
        va_end(more);                                                                                                  \
    }

int open(const char *path, int flags, ...) { MODE_OF(flags) return open_at(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE_OF(flags) return open_at(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE_OF(flags) return open_at(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE_OF(flags) return open_at(at, path, flags, mode); }
int creat(const char *path, mode_t mode) { return open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

int close(int fd) {
    if (fd >= 0 && fd < FILES) open_files[fd].what = OTHER;
    return (int)syscall(SYS_close, fd);
}

static ssize_t put(int fd, const void *bytes, size_t length, off_t offset) {
    struct stat found;
    if (holds(read_only)) return denied(EROFS);
    if (holds(full) && fstat(fd, &found) == 0 && offset + (off_t)length > found.st_size) return denied(ENOSPC);
    step();
    ssize_t written = syscall(SYS_pwrite64, fd, bytes, length, offset);
    int error = errno;
    if (written > 0) record('W', open_files[fd].inode, (uint64_t)offset, bytes, (size_t)written);
    errno = error;
    return written;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
    if (!is_ours(fd)) return syscall(SYS_pwrite64, fd, bytes, length, offset);
    pthread_mutex_lock(&lock);
    ssize_t written = put(fd, bytes, length, offset);
    pthread_mutex_unlock(&lock);
    return written;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return pwrite64(fd, bytes, length, offset); }

ssize_t write(int fd, const void *bytes, size_t length) {
    if (!is_ours(fd)) return syscall(SYS_write, fd, bytes, length);
    pthread_mutex_lock(&lock);
    off_t offset = lseek(fd, 0, SEEK_CUR);
    ssize_t written = put(fd, bytes, length, offset);
    int error = errno;
    if (written > 0) lseek(fd, offset + written, SEEK_SET);
    pthread_mutex_unlock(&lock);
    errno = error;
    return written;
}

/* Ways to write that neither SQLite nor the server takes. One that did unseen would make every test a lie. */
#define UNSEEN(fd) do { if (is_ours(fd)) abort(); } while (0)

ssize_t writev(int fd, const struct iovec *parts, int count) {
    UNSEEN(fd);
    return syscall(SYS_writev, fd, parts, count);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
    UNSEEN(fd);
    return syscall(SYS_pwritev, fd, parts, count, (long)offset, 0L);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) {
    return pwritev(fd, parts, count, offset);
}

int fallocate(int fd, int mode, off_t offset, off_t length) {
    UNSEEN(fd);
    return (int)syscall(SYS_fallocate, fd, mode, offset, length);
}

int fallocate64(int fd, int mode, off64_t offset, off64_t length) { return fallocate(fd, mode, offset, length); }

void *mmap64(void *at, size_t length, int protection, int flags, int fd, off64_t offset) {
    if ((protection & PROT_WRITE) && (flags & MAP_SHARED)) UNSEEN(fd);
    return (void *)syscall(SYS_mmap, at, length, protection, flags, fd, offset);
}

void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset) {
    return mmap64(at, length, protection, flags, fd, offset);
}

int ftruncate64(int fd, off64_t length) {
    if (!is_ours(fd)) return (int)syscall(SYS_ftruncate, fd, length);
    pthread_mutex_lock(&lock);
    int done = -1;
    if (holds(read_only)) {
        errno = EROFS;
    } else {
        step();
        done = (int)syscall(SYS_ftruncate, fd, length);
        if (done == 0) record('T', open_files[fd].inode, (uint64_t)length, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    return done;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

/* The real disk is left in peace: whether it kept what it was asked to keep is what the log decides. */
int fsync(int fd) {
    if (fd < 0 || fd >= FILES || open_files[fd].what == OTHER) return (int)syscall(SYS_fsync, fd);
    if (holds(fails)) return denied(EIO);
    pthread_mutex_lock(&lock);
    step();
    if (open_files[fd].what == FOLDER) {
        record('D', 0, 0, NULL, 0);
    } else if (!(lies && open_files[fd].database)) {
        record('S', open_files[fd].inode, 0, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    return 0;
}

int fdatasync(int fd) { return fsync(fd); }

int rename(const char *from, const char *to) {
    const char *old = name_of(from), *new = name_of(to);
    if (!old || !new) return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    pthread_mutex_lock(&lock);
    int done = -1;
    char both[8192];
    size_t length = strlen(old) + 1 + strlen(new);
    if (holds(read_only)) {
        errno = EROFS;
    } else if (length < sizeof both) {
        step();
        done = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
        memcpy(both, old, strlen(old) + 1);
        memcpy(both + strlen(old) + 1, new, strlen(new));
        if (done == 0) record('R', 0, 0, both, length);
    } else {
        errno = ENAMETOOLONG;
    }
    pthread_mutex_unlock(&lock);
    return done;
}

int unlink(const char *path) {
    const char *name = name_of(path);
    if (!name) return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    pthread_mutex_lock(&lock);
    int done = -1;
    if (holds(read_only)) {
        errno = EROFS;
    } else {
        step();
        done = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
        if (done == 0) record('U', 0, 0, name, strlen(name));
    }
    pthread_mutex_unlock(&lock);
    return done;
}
