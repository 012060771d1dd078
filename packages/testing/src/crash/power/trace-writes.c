// SPDX-License-Identifier: Apache-2.0
//
// Preloaded into a server under test: notes all that changes the files below one folder, and what is synced, in a trace.
// The state of the disk after a power loss is derived from the trace (packages/testing/src/crash/lossy-disk.ts).
//
// A record stands in the trace before the call it is about, and another one after it: so whoever reads the trace knows what
// was certainly done before a sync began, and what may or may not have been.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { CREATE = 1, WRITE, TRUNCATE, SYNC, RENAME, UNLINK, MKDIR, RMDIR, LINK, DONE, UNKNOWN };

// All little-endian, as on every machine this runs on.
struct record {
  uint32_t kind;
  uint32_t length; // of what follows
  uint64_t serial; // of the call: DONE has that of the record it ends
  uint64_t inode;
  uint64_t offset; // or size, or of DONE whether the call succeeded
};

#define MOST_FILES 65536
// The inode that stands behind each open file below the folder; 0 for all others.
static uint64_t traced[MOST_FILES];
static char root[PATH_MAX];
static size_t rootLength;
static int trace = -1;
// A sync takes so long at the least: then more is under way when the power is cut.
static useconds_t syncMicros;
static _Atomic uint64_t nextSerial = 1;

static void fail(const char *what) {
  fprintf(stderr, "trace-writes: %s\n", what);
  _exit(97);
}

__attribute__((constructor)) static void begin(void) {
  const char *folder = getenv("TRACE_WRITES_UNDER");
  const char *file = getenv("TRACE_WRITES_TO");
  if (!folder || !file) return;
  const char *micros = getenv("TRACE_WRITES_SYNC_MICROS");
  if (micros) syncMicros = atoi(micros);
  if (!realpath(folder, root)) fail("no such folder");
  rootLength = strlen(root);
  trace = syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (trace < 0) fail("the trace cannot be opened");
}

static uint64_t note(enum kind kind, uint64_t serial, uint64_t inode, uint64_t offset, const struct iovec *data, int count) {
  int saved = errno;
  struct iovec parts[66];
  struct record record = {.kind = kind, .serial = serial ? serial : nextSerial++, .inode = inode, .offset = offset};
  if (count > 64) fail("too many parts");
  size_t total = sizeof record;
  for (int at = 0; at < count; at++) {
    parts[at + 1] = data[at];
    record.length += data[at].iov_len;
    total += data[at].iov_len;
  }
  parts[0] = (struct iovec){&record, sizeof record};
  if (syscall(SYS_writev, trace, parts, count + 1) != (long)total) fail("the trace cannot be written");
  errno = saved;
  return record.serial;
}

static void done(uint64_t serial, int succeeded) { note(DONE, serial, 0, succeeded, 0, 0); }

// The path of a file below the folder, relative to it; 0 where it is elsewhere.
static const char *below(int folder, const char *path, char *room) {
  char whole[PATH_MAX], parent[PATH_MAX];
  if (trace < 0 || !path) return 0;
  if (path[0] == '/' || folder == AT_FDCWD) snprintf(whole, sizeof whole, "%s", path);
  else {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t size = readlink(link, parent, sizeof parent - 1);
    if (size < 0) return 0;
    parent[size] = 0;
    if (snprintf(whole, sizeof whole, "%s/%s", parent, path) >= (int)sizeof whole) return 0;
  }
  // The file itself may not be there, but its folder is.
  char *slash = strrchr(whole, '/');
  const char *name = slash ? slash + 1 : whole;
  if (slash == whole) return 0;
  if (slash) *slash = 0;
  if (!realpath(slash ? whole : ".", parent)) return 0;
  if (snprintf(room, PATH_MAX, "%s/%s", parent, name) >= PATH_MAX) return 0;
  if (strncmp(room, root, rootLength) != 0 || room[rootLength] != '/') return 0;
  return room + rootLength + 1;
}

// A file may be closed unnoticed and its number reused, also by a socket: so the inode is compared.
static int isTraced(int fd) {
  struct stat found;
  if (trace < 0 || fd < 0 || fd >= MOST_FILES || !traced[fd]) return 0;
  if (fstat(fd, &found) == 0 && (S_ISREG(found.st_mode) || S_ISDIR(found.st_mode)) && found.st_ino == traced[fd]) return 1;
  traced[fd] = 0;
  return 0;
}

static uint64_t inodeOf(int fd) {
  struct stat found;
  if (fstat(fd, &found) != 0) fail("a file has no inode");
  return found.st_ino;
}

#define REAL(name) \
  static __typeof__(name) *real; \
  if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static int opened(int folder, const char *path, int flags, mode_t mode) {
  char room[PATH_MAX];
  const char *name = below(folder, path, room);
  struct stat found;
  int isNew = name && (flags & O_CREAT) && stat(room, &found) != 0;
  if (name && (flags & O_TMPFILE) == O_TMPFILE) fail("files without a name are not understood");
  int fd = syscall(SYS_openat, folder, path, flags, mode);
  if (fd < 0 || trace < 0) return fd;
  if (fd >= MOST_FILES) { if (name) fail("too many files"); return fd; }
  // The folder itself counts, too: to sync it is to sync the names in it.
  char self[PATH_MAX];
  int isRoot = !name && path && realpath(path, self) && strcmp(self, root) == 0;
  traced[fd] = name != 0 || isRoot ? inodeOf(fd) : 0;
  if (!name) return fd;
  if (flags & (O_DSYNC | O_SYNC)) fail("files that sync by themselves are not understood");
  struct iovec data = {(void *)name, strlen(name)};
  if (isNew) done(note(CREATE, 0, inodeOf(fd), 0, &data, 1), 1);
  else if (flags & O_TRUNC) done(note(TRUNCATE, 0, inodeOf(fd), 0, 0, 0), 1);
  return fd;
}

#define MODE_OF(flags) \
  mode_t mode = 0; \
  if ((flags) & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, int); va_end(more); }

int open(const char *path, int flags, ...) { MODE_OF(flags) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE_OF(flags) return opened(AT_FDCWD, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE_OF(flags) return opened(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE_OF(flags) return opened(folder, path, flags, mode); }
int __open_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }
int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

int close(int fd) {
  if (fd >= 0 && fd < MOST_FILES) traced[fd] = 0;
  return syscall(SYS_close, fd);
}

static uint64_t placeOf(int fd) {
  int flags = fcntl(fd, F_GETFL);
  off_t at = lseek(fd, 0, flags & O_APPEND ? SEEK_END : SEEK_CUR);
  return at < 0 ? 0 : at;
}

static ssize_t written(int fd, const struct iovec *data, int count, off_t offset, int hasOffset) {
  if (!isTraced(fd)) {
    if (hasOffset) return syscall(SYS_pwritev, fd, data, count, offset, 0);
    return syscall(SYS_writev, fd, data, count);
  }
  uint64_t place = hasOffset ? (uint64_t)offset : placeOf(fd);
  size_t wanted = 0;
  for (int at = 0; at < count; at++) wanted += data[at].iov_len;
  uint64_t serial = note(WRITE, 0, inodeOf(fd), place, data, count);
  ssize_t size = hasOffset ? syscall(SYS_pwritev, fd, data, count, offset, 0) : syscall(SYS_writev, fd, data, count);
  if (size >= 0 && (size_t)size != wanted) fail("a short write is not understood");
  done(serial, size >= 0);
  return size;
}

ssize_t write(int fd, const void *bytes, size_t size) {
  if (!isTraced(fd)) return syscall(SYS_write, fd, bytes, size);
  struct iovec data = {(void *)bytes, size};
  return written(fd, &data, 1, 0, 0);
}
ssize_t writev(int fd, const struct iovec *data, int count) { return written(fd, data, count, 0, 0); }
ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) {
  if (!isTraced(fd)) return syscall(SYS_pwrite64, fd, bytes, size, offset);
  struct iovec data = {(void *)bytes, size};
  return written(fd, &data, 1, offset, 1);
}
ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset) { return pwrite(fd, bytes, size, offset); }
ssize_t pwritev(int fd, const struct iovec *data, int count, off_t offset) { return written(fd, data, count, offset, 1); }
ssize_t pwritev64(int fd, const struct iovec *data, int count, off64_t offset) { return written(fd, data, count, offset, 1); }

int ftruncate(int fd, off_t size) {
  if (!isTraced(fd)) return syscall(SYS_ftruncate, fd, size);
  uint64_t serial = note(TRUNCATE, 0, inodeOf(fd), size, 0, 0);
  int result = syscall(SYS_ftruncate, fd, size);
  done(serial, result == 0);
  return result;
}
int ftruncate64(int fd, off64_t size) { return ftruncate(fd, size); }

static int synced(int fd, long number) {
  if (!isTraced(fd)) return syscall(number, fd);
  uint64_t serial = note(SYNC, 0, inodeOf(fd), 0, 0, 0);
  if (syncMicros) usleep(syncMicros);
  int result = syscall(number, fd);
  done(serial, result == 0);
  return result;
}
int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

// Two names below the folder, with a zero between them; one that is elsewhere is empty.
static int moved(enum kind kind, long number, int from, const char *old, int to, const char *fresh, unsigned flags) {
  char rooms[2][PATH_MAX];
  const char *names[2] = {below(from, old, rooms[0]), below(to, fresh, rooms[1])};
  if (!names[0] && !names[1]) return syscall(number, from, old, to, fresh, flags);
  if (!names[0] || !names[1]) fail("what crosses the folder's border is not understood");
  struct iovec data[2] = {{(void *)names[0], strlen(names[0]) + 1}, {(void *)names[1], strlen(names[1])}};
  uint64_t serial = note(kind, 0, 0, 0, data, 2);
  int result = syscall(number, from, old, to, fresh, flags);
  done(serial, result == 0);
  return result;
}
int rename(const char *old, const char *fresh) { return moved(RENAME, SYS_renameat2, AT_FDCWD, old, AT_FDCWD, fresh, 0); }
int renameat(int from, const char *old, int to, const char *fresh) { return moved(RENAME, SYS_renameat2, from, old, to, fresh, 0); }
int renameat2(int from, const char *old, int to, const char *fresh, unsigned flags) { return moved(RENAME, SYS_renameat2, from, old, to, fresh, flags); }
int link(const char *old, const char *fresh) { return moved(LINK, SYS_linkat, AT_FDCWD, old, AT_FDCWD, fresh, 0); }
int linkat(int from, const char *old, int to, const char *fresh, int flags) { return moved(LINK, SYS_linkat, from, old, to, fresh, flags); }

static int named(enum kind kind, int folder, const char *path, int number, int argument) {
  char room[PATH_MAX];
  const char *name = below(folder, path, room);
  if (!name) return syscall(number, folder, path, argument);
  struct iovec data = {(void *)name, strlen(name)};
  uint64_t serial = note(kind, 0, 0, 0, &data, 1);
  int result = syscall(number, folder, path, argument);
  done(serial, result == 0);
  return result;
}
int unlink(const char *path) { return named(UNLINK, AT_FDCWD, path, SYS_unlinkat, 0); }
int unlinkat(int folder, const char *path, int flags) { return named(flags & AT_REMOVEDIR ? RMDIR : UNLINK, folder, path, SYS_unlinkat, flags); }
int rmdir(const char *path) { return named(RMDIR, AT_FDCWD, path, SYS_unlinkat, AT_REMOVEDIR); }
int remove(const char *path) {
  struct stat found;
  return lstat(path, &found) == 0 && S_ISDIR(found.st_mode) ? rmdir(path) : unlink(path);
}

static int folderMade(int folder, const char *path, mode_t mode) {
  char room[PATH_MAX];
  const char *name = below(folder, path, room);
  int result = syscall(SYS_mkdirat, folder, path, mode);
  struct stat found;
  if (!name || result != 0) return result;
  if (stat(room, &found) != 0) fail("a new folder is gone");
  struct iovec data = {(void *)name, strlen(name)};
  done(note(MKDIR, 0, found.st_ino, 0, &data, 1), 1);
  return result;
}
int mkdir(const char *path, mode_t mode) { return folderMade(AT_FDCWD, path, mode); }
int mkdirat(int folder, const char *path, mode_t mode) { return folderMade(folder, path, mode); }

// An unknown call must not pass unnoticed.
#define REFUSED(fd, what) if (isTraced(fd)) fail(what " is not understood")
int posix_fallocate(int fd, off_t offset, off_t size) { REFUSED(fd, "posix_fallocate"); REAL(posix_fallocate); return real(fd, offset, size); }
int posix_fallocate64(int fd, off64_t offset, off64_t size) { return posix_fallocate(fd, offset, size); }
int fallocate(int fd, int mode, off_t offset, off_t size) { REFUSED(fd, "fallocate"); return syscall(SYS_fallocate, fd, mode, offset, size); }
int fallocate64(int fd, int mode, off64_t offset, off64_t size) { return fallocate(fd, mode, offset, size); }
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t size, unsigned flags) {
  REFUSED(out, "copy_file_range");
  return syscall(SYS_copy_file_range, in, from, out, to, size, flags);
}
ssize_t sendfile(int out, int in, off_t *offset, size_t size) { REFUSED(out, "sendfile"); return syscall(SYS_sendfile, out, in, offset, size); }
ssize_t sendfile64(int out, int in, off64_t *offset, size_t size) { REFUSED(out, "sendfile"); return syscall(SYS_sendfile, out, in, offset, size); }
int truncate(const char *path, off_t size) {
  char room[PATH_MAX];
  if (below(AT_FDCWD, path, room)) fail("truncate is not understood");
  return syscall(SYS_truncate, path, size);
}
