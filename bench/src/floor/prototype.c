/*
 * The floor of an isolated start: the least that makes what a container is, from a pool of one.
 *
 *     prototype ROOTFS WORK     for each line on standard input: one start; prints its microseconds
 *
 * Made beforehand: a child in namespaces of its own with lo, proc, dev and sys, as a daemon that is idle would.
 * Timed, from "go" to the first byte of the app's answer: overlay, pivot_root, capabilities, seccomp, exec, connect.
 * Left out, because the product has to do it and a floor has not: cgroups, volumes, users, logs, an init, any check.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MUST(call) ((call) < 0 ? (perror(#call), exit(1)) : (void)0)
#define NAMESPACES (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)

struct shell { pid_t pid; int go, net; };
static const char *rootfs;
static char dir[3][256]; /* upper, work, root */
static int number;

static void must_mount(const char *what, const char *kind, const char *where, unsigned long flags, const char *data) {
    mkdir(where, 0755);
    if (mount(what, where, kind, flags, data)) { perror(where); exit(1); }
}

static void prepare(void) {
    must_mount("none", NULL, "/", MS_REC | MS_PRIVATE, NULL);
    int device = socket(AF_INET, SOCK_DGRAM, 0);
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    MUST(ioctl(device, SIOCSIFFLAGS, &lo));
    close(device);
    must_mount("stage", "tmpfs", "stage", 0, NULL);
    must_mount("proc", "proc", "stage/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    must_mount("sysfs", "sysfs", "stage/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL);
    must_mount("dev", "tmpfs", "stage/dev", MS_NOSUID, "mode=755");
    must_mount("devpts", "devpts", "stage/dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666");
    must_mount("shm", "tmpfs", "stage/dev/shm", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    static const struct { const char *path; int minor; } nodes[] = {
        {"stage/dev/null", 3}, {"stage/dev/zero", 5}, {"stage/dev/full", 7}, {"stage/dev/random", 8}, {"stage/dev/urandom", 9}};
    umask(0);
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
        MUST(mknod(nodes[i].path, S_IFCHR | 0666, makedev(1, nodes[i].minor)));
    static const char *masked[] = {"stage/proc/timer_list", "stage/proc/keys", "stage/proc/interrupts", "stage/proc/sysrq-trigger"};
    for (size_t i = 0; i < sizeof masked / sizeof *masked; i++)
        if (!access(masked[i], F_OK)) MUST(mount("stage/dev/null", masked[i], NULL, MS_BIND, NULL));
}

static void confine(void) {
    /* The OCI defaults: chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap, net_bind_service, chroot, mknod, audit_write, setfcap. */
    const unsigned long kept = 0xa80425fb;
    for (int capability = 0; capability <= 40; capability++)
        if (!(kept >> capability & 1)) prctl(PR_CAPBSET_DROP, capability);
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{kept, kept, 0}, {0, 0, 0}};
    MUST(syscall(SYS_capset, &header, data));
    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    /* Not a policy, but as long as a short one. */
    struct sock_filter filter[32];
    int length = 0;
    filter[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (int call = SYS_init_module; length < 30; call++)
        filter[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 100000 + call, 0, 0);
    filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {length, filter};
    MUST(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
}

static void become(void) {
    char options[1024], target[300];
    snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s,workdir=%s", rootfs, dir[0], dir[1]);
    must_mount("overlay", "overlay", dir[2], 0, options);
    static const char *moved[] = {"proc", "sys", "dev"};
    for (int i = 0; i < 3; i++) {
        char source[32];
        snprintf(source, sizeof source, "stage/%s", moved[i]);
        snprintf(target, sizeof target, "%s/%s", dir[2], moved[i]);
        must_mount(source, NULL, target, MS_MOVE, NULL);
    }
    MUST(chdir(dir[2]));
    MUST(syscall(SYS_pivot_root, ".", "."));
    MUST(umount2(".", MNT_DETACH));
    MUST(chdir("/"));
    confine();
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; fd++) MUST(dup2(null, fd));
    syscall(SYS_close_range, 3, ~0U, 0);
    execve("/hello", (char *[]){"/hello", NULL}, (char *[]){"PORT=8080", NULL});
    _exit(1);
}

static struct shell make(void) {
    static const char *names[] = {"upper", "work", "root"};
    number++;
    for (int i = 0; i < 3; i++) {
        snprintf(dir[i], sizeof dir[i], "%s-%d", names[i], number);
        MUST(mkdir(dir[i], 0755));
    }
    int go[2], ready[2];
    MUST(pipe2(go, O_CLOEXEC));
    MUST(pipe2(ready, O_CLOEXEC));
    pid_t pid = syscall(SYS_clone, NAMESPACES | SIGCHLD, 0, 0, 0, 0);
    MUST(pid);
    char byte = 0;
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prepare();
        MUST(write(ready[1], &byte, 1));
        close(go[1]);
        if (read(go[0], &byte, 1) != 1) _exit(0);
        become();
    }
    close(go[0]);
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1) exit(1);
    close(ready[0]);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/net", pid);
    int net = open(path, O_RDONLY | O_CLOEXEC);
    MUST(net);
    return (struct shell){pid, go[1], net};
}

static void unmake(struct shell shell) {
    kill(shell.pid, SIGKILL);
    waitpid(shell.pid, NULL, 0);
    close(shell.go);
    close(shell.net);
    char command[900];
    snprintf(command, sizeof command, "rm -rf %s %s %s", dir[0], dir[1], dir[2]);
    if (system(command)) exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static void first_byte(struct shell shell, int home) {
    static const char request[] = "GET / HTTP/1.1\r\nHost: sample\r\n\r\n";
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(8080), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    char byte = 0;
    MUST(write(shell.go, &byte, 1));
    MUST(setns(shell.net, CLONE_NEWNET));
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    MUST(setns(home, CLONE_NEWNET));
    for (int attempt = 0; connect(client, (struct sockaddr *)&address, sizeof address); attempt++) {
        if (errno != ECONNREFUSED || attempt > 25000) { perror("connect"); exit(1); }
        nanosleep(&(struct timespec){0, 200000}, NULL);
    }
    MUST(write(client, request, sizeof request - 1));
    if (read(client, &byte, 1) != 1 || byte != 'H') { fprintf(stderr, "no answer\n"); exit(1); }
    close(client);
}

int main(int count, char **arguments) {
    if (count != 3) return 2;
    rootfs = arguments[1];
    MUST(chdir(arguments[2]));
    MUST(mkdir("stage", 0755));
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    char line[16];
    struct shell shell = make();
    printf("ready\n");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        double began = now();
        first_byte(shell, home);
        double took = now() - began;
        unmake(shell);
        shell = make();
        printf("%.1f\n", took);
        fflush(stdout);
    }
    unmake(shell);
    return 0;
}
