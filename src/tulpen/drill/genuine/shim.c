/* A TCP for packetdrill that lives in another process: tulpen.
 *
 * packetdrill loads this object (--so_filename) and takes its system calls and its packets to the functions that
 * packetdrill_interface_init() names.  The same object must be preloaded (LD_PRELOAD), because packetdrill does some
 * things without asking the interface: it reads struct tcp_info, closes what a script left open, runs commands, waits
 * for a thread.  Every question goes over a Unix socket, one for each thread, and is answered before the function
 * returns; protocol.py has the other side.  The clock is the answerer's.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define VERSION 1
#define FIRST_FD (1 << 20) /* descriptors from here on are the answerer's, not the kernel's */
#define ARGUMENTS 6
#define NULL_BUFFER 1

enum op {
    HELLO = 1, INIT, GETTIMEOFDAY, USLEEP, PACKET_IN, PACKET_OUT, COMMAND, WAIT, REST,
    SOCKET = 16, BIND, LISTEN, ACCEPT, CONNECT, READ, RECV, RECVMSG, WRITE, SEND, SENDTO, SENDMSG, FCNTL, IOCTL, CLOSE,
    SHUTDOWN, GETSOCKOPT, SETSOCKOPT, POLL, EPOLL_CREATE, EPOLL_CTL, EPOLL_WAIT, OTHER,
};

struct question {
    uint32_t length; /* octets that follow */
    uint32_t op;
    int64_t arguments[ARGUMENTS];
};

struct answer {
    uint32_t length; /* octets that follow */
    int32_t error;   /* an errno, where result is -1 */
    int64_t now;     /* microseconds */
    int64_t result;
    int64_t value;
};

static __thread int channel = -1;
static __thread int64_t returned_at; /* when this thread's last system call returned */
static __thread int just_returned;

__attribute__((noreturn)) static void fail(const char *what)
{
    fprintf(stderr, "tulpen: %s: %s\n", what, strerror(errno));
    _exit(3);
}

/* Octets through the socket.  No function that is replaced below may be called here: hence syscall(). */
static void put(const void *from, size_t length)
{
    const char *at = from;
    while (length > 0) {
        long done = syscall(SYS_sendto, channel, at, length, MSG_NOSIGNAL, NULL, 0);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            fail("cannot ask");
        at += done;
        length -= (size_t)done;
    }
}

static void get(void *into, size_t length)
{
    char *at = into;
    while (length > 0) {
        long done = syscall(SYS_recvfrom, channel, at, length, 0, NULL, NULL);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            fail("no answer");
        at += done;
        length -= (size_t)done;
    }
}

static void discard(size_t length)
{
    char buffer[4096];
    while (length > 0) {
        size_t piece = length < sizeof(buffer) ? length : sizeof(buffer);
        get(buffer, piece);
        length -= piece;
    }
}

static void open_channel(void);

/* Ask, and wait for the answer; of what follows it, ``room`` octets at most go to ``into``. */
static struct answer ask(enum op op, const int64_t *arguments, const void *data, size_t length, void *into, size_t room)
{
    struct question question = {.length = (uint32_t)length, .op = op};
    struct answer answer;

    if (channel < 0)
        open_channel();
    just_returned = 0;
    memcpy(question.arguments, arguments, sizeof(question.arguments));
    put(&question, sizeof(question));
    put(data, length);
    get(&answer, sizeof(answer));
    size_t taken = answer.length < room ? answer.length : room;
    get(into, taken);
    discard(answer.length - taken);
    return answer;
}

#define ASK(op, data, length, into, room, ...) \
    ask(op, (const int64_t[ARGUMENTS]){__VA_ARGS__}, data, length, into, room)
#define TELL(op, ...) ASK(op, NULL, 0, NULL, 0, __VA_ARGS__)

static void open_channel(void)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    const char *path = getenv("TULPEN_SHIM");

    if (path == NULL || strlen(path) >= sizeof(where.sun_path)) {
        errno = EINVAL;
        fail("TULPEN_SHIM names no socket");
    }
    strcpy(where.sun_path, path);
    channel = (int)syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (channel < 0 || syscall(SYS_connect, channel, &where, sizeof(where)) < 0)
        fail("cannot reach the TCP");
    TELL(HELLO, getpid(), syscall(SYS_gettid), VERSION);
}

/* What a system call returns: its result, with errno set, and the time at which it came back. */
static int64_t returned(struct answer answer)
{
    returned_at = answer.now;
    just_returned = 1;
    if (answer.result < 0)
        errno = answer.error;
    return answer.result;
}

/* The interface: system calls. */

static int tcp_socket(void *self, int domain, int type, int protocol)
{
    (void)self;
    return (int)returned(TELL(SOCKET, domain, type, protocol));
}

static int tcp_bind(void *self, int fd, const struct sockaddr *where, socklen_t length)
{
    (void)self;
    return (int)returned(ASK(BIND, where, length, NULL, 0, fd));
}

static int tcp_listen(void *self, int fd, int backlog)
{
    (void)self;
    return (int)returned(TELL(LISTEN, fd, backlog));
}

static int tcp_accept(void *self, int fd, struct sockaddr *from, socklen_t *length)
{
    (void)self;
    struct answer answer = ASK(ACCEPT, NULL, 0, from, length ? *length : 0, fd);
    if (length && answer.result >= 0)
        *length = answer.length;
    return (int)returned(answer);
}

static int tcp_connect(void *self, int fd, const struct sockaddr *to, socklen_t length)
{
    (void)self;
    return (int)returned(ASK(CONNECT, to, length, NULL, 0, fd));
}

static size_t octets(const struct iovec *parts, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += parts[i].iov_len;
    return total;
}

static ssize_t tcp_read(void *self, int fd, void *buffer, size_t length)
{
    (void)self;
    return returned(TELL(READ, fd, (int64_t)length, buffer == NULL ? NULL_BUFFER : 0));
}

static ssize_t tcp_readv(void *self, int fd, const struct iovec *parts, int count)
{
    (void)self;
    return returned(TELL(READ, fd, (int64_t)octets(parts, (size_t)count), 0));
}

static ssize_t tcp_recv(void *self, int fd, void *buffer, size_t length, int flags)
{
    (void)self;
    return returned(TELL(RECV, fd, (int64_t)length, buffer == NULL ? NULL_BUFFER : 0, flags));
}

static ssize_t tcp_recvfrom(void *self, int fd, void *buffer, size_t length, int flags, struct sockaddr *from,
                            socklen_t *from_length)
{
    (void)from;
    if (from_length)
        *from_length = 0; /* TCP tells nobody's address here */
    return tcp_recv(self, fd, buffer, length, flags);
}

static ssize_t tcp_recvmsg(void *self, int fd, struct msghdr *message, int flags)
{
    (void)self;
    struct answer answer = ASK(RECVMSG, NULL, 0, message->msg_control, message->msg_controllen, fd,
                               (int64_t)octets(message->msg_iov, message->msg_iovlen), flags,
                               (int64_t)message->msg_controllen);
    if (answer.result >= 0) {
        message->msg_flags = (int)answer.value;
        if (answer.length > message->msg_controllen)
            message->msg_flags |= MSG_CTRUNC;
        else
            message->msg_controllen = answer.length;
        message->msg_namelen = 0;
    }
    return returned(answer);
}

static ssize_t tcp_write(void *self, int fd, const void *buffer, size_t length)
{
    (void)self;
    return returned(TELL(WRITE, fd, (int64_t)length, buffer == NULL ? NULL_BUFFER : 0));
}

static ssize_t tcp_writev(void *self, int fd, const struct iovec *parts, int count)
{
    (void)self;
    return returned(TELL(WRITE, fd, (int64_t)octets(parts, (size_t)count), 0));
}

static ssize_t tcp_send(void *self, int fd, const void *buffer, size_t length, int flags)
{
    (void)self;
    return returned(TELL(SEND, fd, (int64_t)length, buffer == NULL ? NULL_BUFFER : 0, flags));
}

static ssize_t tcp_sendto(void *self, int fd, const void *buffer, size_t length, int flags, const struct sockaddr *to,
                          socklen_t to_length)
{
    (void)self;
    return returned(ASK(SENDTO, to, to ? to_length : 0, NULL, 0, fd, (int64_t)length,
                        buffer == NULL ? NULL_BUFFER : 0, flags));
}

static ssize_t tcp_sendmsg(void *self, int fd, const struct msghdr *message, int flags)
{
    (void)self;
    return returned(ASK(SENDMSG, message->msg_name, message->msg_name ? message->msg_namelen : 0, NULL, 0, fd,
                        (int64_t)octets(message->msg_iov, message->msg_iovlen), flags,
                        (int64_t)message->msg_controllen));
}

static int tcp_fcntl(void *self, int fd, int command, ...)
{
    (void)self;
    va_list rest;
    va_start(rest, command);
    int argument = command == F_SETFL || command == F_SETFD ? va_arg(rest, int) : 0;
    va_end(rest);
    return (int)returned(TELL(FCNTL, fd, command, argument));
}

static int tcp_ioctl(void *self, int fd, unsigned long request, ...)
{
    (void)self;
    va_list rest;
    va_start(rest, request);
    int *found = va_arg(rest, int *);
    va_end(rest);
    struct answer answer = TELL(IOCTL, fd, (int64_t)request);
    if (answer.result >= 0)
        *found = (int)answer.value;
    return (int)returned(answer);
}

static int tcp_close(void *self, int fd)
{
    (void)self;
    return (int)returned(TELL(CLOSE, fd));
}

static int tcp_shutdown(void *self, int fd, int how)
{
    (void)self;
    return (int)returned(TELL(SHUTDOWN, fd, how));
}

static int tcp_getsockopt(void *self, int fd, int level, int name, void *value, socklen_t *length)
{
    (void)self;
    struct answer answer = ASK(GETSOCKOPT, NULL, 0, value, *length, fd, level, name, *length);
    if (answer.result >= 0)
        *length = answer.length;
    return (int)returned(answer);
}

static int tcp_setsockopt(void *self, int fd, int level, int name, const void *value, socklen_t length)
{
    (void)self;
    return (int)returned(ASK(SETSOCKOPT, value, length, NULL, 0, fd, level, name));
}

static int tcp_poll(void *self, struct pollfd *files, nfds_t count, int timeout)
{
    (void)self;
    size_t length = count * sizeof(*files);
    return (int)returned(ASK(POLL, files, length, files, length, timeout));
}

static int tcp_epoll_create(void *self, int size)
{
    (void)self;
    return (int)returned(TELL(EPOLL_CREATE, size));
}

static int tcp_epoll_ctl(void *self, int epoll, int how, int fd, struct epoll_event *event)
{
    (void)self;
    int64_t events = event ? event->events : 0, data = event ? (int64_t)event->data.u64 : 0;
    return (int)returned(TELL(EPOLL_CTL, epoll, how, fd, events, data));
}

static int tcp_epoll_wait(void *self, int epoll, struct epoll_event *events, int most, int timeout)
{
    (void)self;
    return (int)returned(ASK(EPOLL_WAIT, NULL, 0, events, (size_t)most * sizeof(*events), epoll, most, timeout));
}

/* A system call that the answerer has not; it may end the program over it. */
static int64_t other(const char *name)
{
    return returned(ASK(OTHER, name, strlen(name), NULL, 0, 0));
}

static int tcp_pipe(void *self, int ends[2])
{
    (void)self, (void)ends;
    return (int)other("pipe");
}

static int tcp_splice(void *self, int from, loff_t *from_at, int to, loff_t *to_at, size_t length, unsigned int flags)
{
    (void)self, (void)from, (void)from_at, (void)to, (void)to_at, (void)length, (void)flags;
    return (int)other("splice");
}

/* The interface: packets and time. */

static int tcp_packet_in(void *self, const void *packet, size_t length)
{
    (void)self;
    return (int)ASK(PACKET_IN, packet, length, NULL, 0, 0).result;
}

static int tcp_packet_out(void *self, void *packet, size_t *length, long long *microseconds)
{
    (void)self;
    struct answer answer = ASK(PACKET_OUT, NULL, 0, packet, *length, 0);
    *length = answer.length < *length ? answer.length : *length;
    *microseconds = answer.value;
    return answer.result < 0 ? -1 : 0;
}

static int tcp_usleep(void *self, useconds_t microseconds)
{
    (void)self;
    return (int)TELL(USLEEP, microseconds).result;
}

/* The first look at the clock after a system call tells when that call returned, whatever other threads did since. */
static int tcp_gettimeofday(void *self, struct timeval *time, struct timezone *zone)
{
    (void)self, (void)zone;
    int64_t now = just_returned ? returned_at : TELL(GETTIMEOFDAY, 0).now;
    just_returned = 0;
    time->tv_sec = now / 1000000;
    time->tv_usec = now % 1000000;
    return 0;
}

static void tcp_free(void *self)
{
    (void)self;
}

/* The functions that packetdrill calls, in its order. */
struct functions {
    void *self;
    void (*free)(void *);
    int (*socket)(void *, int, int, int);
    int (*bind)(void *, int, const struct sockaddr *, socklen_t);
    int (*listen)(void *, int, int);
    int (*accept)(void *, int, struct sockaddr *, socklen_t *);
    int (*connect)(void *, int, const struct sockaddr *, socklen_t);
    ssize_t (*read)(void *, int, void *, size_t);
    ssize_t (*readv)(void *, int, const struct iovec *, int);
    ssize_t (*recv)(void *, int, void *, size_t, int);
    ssize_t (*recvfrom)(void *, int, void *, size_t, int, struct sockaddr *, socklen_t *);
    ssize_t (*recvmsg)(void *, int, struct msghdr *, int);
    ssize_t (*write)(void *, int, const void *, size_t);
    ssize_t (*writev)(void *, int, const struct iovec *, int);
    ssize_t (*send)(void *, int, const void *, size_t, int);
    ssize_t (*sendto)(void *, int, const void *, size_t, int, const struct sockaddr *, socklen_t);
    ssize_t (*sendmsg)(void *, int, const struct msghdr *, int);
    int (*fcntl)(void *, int, int, ...);
    int (*ioctl)(void *, int, unsigned long, ...);
    int (*close)(void *, int);
    int (*shutdown)(void *, int, int);
    int (*getsockopt)(void *, int, int, int, void *, socklen_t *);
    int (*setsockopt)(void *, int, int, int, const void *, socklen_t);
    int (*poll)(void *, struct pollfd *, nfds_t, int);
    int (*packet_in)(void *, const void *, size_t);
    int (*packet_out)(void *, void *, size_t *, long long *);
    int (*usleep)(void *, useconds_t);
    int (*gettimeofday)(void *, struct timeval *, struct timezone *);
    int (*epoll_create)(void *, int);
    int (*epoll_ctl)(void *, int, int, int, struct epoll_event *);
    int (*epoll_wait)(void *, int, struct epoll_event *, int, int);
    int (*pipe)(void *, int[2]);
    int (*splice)(void *, int, loff_t *, int, loff_t *, size_t, unsigned int);
};

static const struct functions ours = {
    NULL, tcp_free, tcp_socket, tcp_bind, tcp_listen, tcp_accept, tcp_connect, tcp_read, tcp_readv, tcp_recv,
    tcp_recvfrom, tcp_recvmsg, tcp_write, tcp_writev, tcp_send, tcp_sendto, tcp_sendmsg, tcp_fcntl, tcp_ioctl,
    tcp_close, tcp_shutdown, tcp_getsockopt, tcp_setsockopt, tcp_poll, tcp_packet_in, tcp_packet_out, tcp_usleep,
    tcp_gettimeofday, tcp_epoll_create, tcp_epoll_ctl, tcp_epoll_wait, tcp_pipe, tcp_splice,
};

void packetdrill_interface_init(const char *flags, struct functions *theirs);

/* An older packetdrill has no epoll, and no room for it. */
void packetdrill_interface_init(const char *flags, struct functions *theirs)
{
    size_t room = malloc_usable_size(theirs);
    (void)flags;

    if (dlsym(RTLD_DEFAULT, "packetdrill_interface_init") != (void *)packetdrill_interface_init) {
        errno = EPERM;
        fail("this object must be preloaded too, or the script's commands would be run");
    }
    memcpy(theirs, &ours, room >= sizeof(ours) ? sizeof(ours) : offsetof(struct functions, epoll_create));
    TELL(INIT, (int64_t)room);
}

/* What packetdrill does without asking the interface. */

#define REPLACES __attribute__((visibility("default")))

/* Commands of a script are the answerer's to understand. */
REPLACES int system(const char *command)
{
    if (command == NULL)
        return 1;
    return (int)ASK(COMMAND, command, strlen(command), NULL, 0, 0).result;
}

REPLACES int close(int fd)
{
    return fd < FIRST_FD ? (int)syscall(SYS_close, fd) : tcp_close(NULL, fd);
}

REPLACES int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict length)
{
    if (fd < FIRST_FD)
        return (int)syscall(SYS_getsockopt, fd, level, name, value, length);
    return tcp_getsockopt(NULL, fd, level, name, value, length);
}

/* The script's own file and those of /proc are read; nothing is written. */
REPLACES int open(const char *path, int flags, ...)
{
    if ((flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC))
        return (int)other("open");
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0);
}

REPLACES ssize_t sendfile(int to, int from, off_t *at, size_t count)
{
    (void)to, (void)from, (void)at, (void)count;
    return (ssize_t)other("sendfile");
}

REPLACES int capset(void *header, const void *data);

REPLACES int capset(void *header, const void *data)
{
    (void)header, (void)data;
    return (int)other("cap_set");
}

/* The address of this machine is nobody's business. */
REPLACES int getaddrinfo(const char *restrict node, const char *restrict service, const struct addrinfo *restrict hints,
                         struct addrinfo **restrict found)
{
    (void)node, (void)service, (void)hints, (void)found;
    return EAI_FAIL;
}

/* Time is virtual: neither a priority nor memory that stays is needed, nor the machine's own ticks. */
REPLACES int sched_setscheduler(pid_t process, int policy, const struct sched_param *parameters)
{
    (void)process, (void)policy, (void)parameters;
    return 0;
}

REPLACES int mlockall(int flags)
{
    (void)flags;
    return 0;
}

REPLACES clock_t times(struct tms *buffer)
{
    static clock_t ticks;
    if (buffer != NULL)
        memset(buffer, 0, sizeof(*buffer));
    return ++ticks;
}

/* The main thread waits for the one whose system call blocks: so virtual time must go on.  A wake-up without a cause
 * is allowed here; the caller looks again.
 */
REPLACES int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                                    const struct timespec *restrict until)
{
    const struct timespec moment = {.tv_nsec = 100000};
    struct timespec now;
    int expired;

    (void)condition;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t left = (int64_t)(until->tv_sec - now.tv_sec) * 1000000000 + (until->tv_nsec - now.tv_nsec);
    pthread_mutex_unlock(mutex);
    expired = left <= 0 || TELL(WAIT, left).result != 0;
    if (!expired)
        nanosleep(&moment, NULL);
    pthread_mutex_lock(mutex);
    return expired ? ETIMEDOUT : 0;
}

/* The thread of blocking calls has done what it does after one, and waits for the next: only now may the script's own
 * thread go on, which would have slept meanwhile if time were real.
 */
REPLACES int pthread_cond_wait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex)
{
    static int (*theirs)(pthread_cond_t *, pthread_mutex_t *);

    if (theirs == NULL)
        theirs = (int (*)(pthread_cond_t *, pthread_mutex_t *))dlvsym(RTLD_NEXT, "pthread_cond_wait", "GLIBC_2.3.2");
    if (theirs == NULL)
        theirs = (int (*)(pthread_cond_t *, pthread_mutex_t *))dlsym(RTLD_NEXT, "pthread_cond_wait");
    if (syscall(SYS_gettid) != getpid())
        TELL(REST, 0);
    return theirs(condition, mutex);
}

__attribute__((constructor)) static void begin(void)
{
    open_channel();
}
