/* A program that shows what it is given, and misbehaves on demand. Static, so that it needs no image. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <dirent.h>
#include <termios.h>
#include <unistd.h>

static void on_term(int signal) {
    (void)signal;
    _exit(42);
}

/* Answers every connection with a line, until killed. */
static int serve(int port) {
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = INADDR_ANY};
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 128)) return 3;
    for (;;) {
        int connection = accept(listener, 0, 0);
        char line[64];
        int length = snprintf(line, sizeof line, "pid %d\n", getpid());
        if (write(connection, line, length) < 0) return 4;
        close(connection);
    }
}

/* Leaves `count` children behind, whose parents have ended. */
static void abandon(int count) {
    for (int i = 0; i < count; i++) {
        pid_t child = fork();
        if (child == 0) {
            if (fork() == 0) _exit(0);
            _exit(0);
        }
        waitpid(child, 0, 0);
    }
}

/* Leaves `count` children to its own parent. */
static void siblings(int count) {
    for (int i = 0; i < count; i++)
        if (syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0) == 0) for (;;) pause();
}

static int zombies(void) {
    int count = 0;
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; (entry = readdir(proc));) {
        char path[300], line[512] = "";
        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        FILE *stat = atoi(entry->d_name) ? fopen(path, "r") : 0;
        if (!stat) continue;
        if (fgets(line, sizeof line, stat) && strstr(line, ") Z ")) count++;
        fclose(stat);
    }
    closedir(proc);
    return count;
}

static void cat(const char *path) {
    char buffer[65536];
    int file = open(path, O_RDONLY);
    if (file < 0) {
        printf("%s: %s\n", path, strerror(errno));
        return;
    }
    for (ssize_t length; (length = read(file, buffer, sizeof buffer)) > 0;) fwrite(buffer, 1, length, stdout);
    close(file);
}

/* Shows the terminal's name and size, and again at each change of the latter. */
static void on_winch(int signal) {
    (void)signal;
    struct winsize size = {0};
    ioctl(0, TIOCGWINSZ, &size);
    char line[64];
    int length = snprintf(line, sizeof line, "size %d %d\n", size.ws_col, size.ws_row);
    if (write(1, line, length) < 0) _exit(5);
}

static void list(const char *path) {
    DIR *directory = opendir(path);
    if (!directory) {
        printf("%s: %s\n", path, strerror(errno));
        return;
    }
    for (struct dirent *entry; (entry = readdir(directory));) {
        char name[600], target[256];
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        ssize_t length = readlink(name, target, sizeof target - 1);
        target[length > 0 ? length : 0] = 0;
        if (entry->d_name[0] != '.') printf("%s %s\n", entry->d_name, target);
    }
    closedir(directory);
}

/* Writes until it may not. */
static void fill(const char *path) {
    static char block[65536];
    int file = open(path, O_WRONLY);
    long written = 0;
    for (ssize_t length; (length = write(file, block, sizeof block)) > 0;) written += length;
    printf("%s after %ld\n", strerror(errno), written);
    close(file);
}

static void put(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (write(file, text, strlen(text)) < 0) printf("%s: %s\n", path, strerror(errno));
    close(file);
}

static void outcome(const char *what, long result) {
    printf("%s: %s\n", what, result < 0 ? strerror(errno) : "ok");
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        char *argument = i + 1 < argc ? argv[i + 1] : "";
        fflush(stdout);
        if (!strcmp(argv[i], "exit")) return atoi(argument);
        if (!strcmp(argv[i], "serve")) return serve(atoi(argument));
        if (!strcmp(argv[i], "serve-port")) return serve(atoi(getenv("PORT")));
        if (!strcmp(argv[i], "sleep")) for (;;) pause();
        if (!strcmp(argv[i], "trap")) signal(SIGTERM, on_term);
        if (!strcmp(argv[i], "crash")) abort();
        if (!strcmp(argv[i], "spawn") && fork() == 0) for (;;) pause();
        if (!strcmp(argv[i], "abandon")) abandon(atoi(argument));
        if (!strcmp(argv[i], "siblings")) siblings(atoi(argument));
        if (!strcmp(argv[i], "zombies")) printf("zombies %d\n", zombies());
        if (!strcmp(argv[i], "cat")) cat(argument);
        if (!strcmp(argv[i], "copy")) {
            char buffer[65536];
            for (ssize_t length; (length = read(0, buffer, sizeof buffer)) > 0;)
                for (ssize_t done = 0, now; done < length; done += now)
                    if ((now = write(1, buffer + done, length - done)) < 0) return 6;
        }
        if (!strcmp(argv[i], "complain")) fprintf(stderr, "%s\n", argument);
        if (!strcmp(argv[i], "terminal")) {
            printf("terminal %s %s\n", ttyname(0), getenv("TERM"));
            fflush(stdout);
            signal(SIGWINCH, on_winch);
            on_winch(0);
        }
        if (!strcmp(argv[i], "list")) list(argument);
        if (!strcmp(argv[i], "pid")) printf("pid %d\n", getpid());
        if (!strcmp(argv[i], "write")) outcome(argument, open(argument, O_WRONLY | O_CREAT | O_TRUNC, 0644));
        if (!strcmp(argv[i], "fill")) fill(argument);
        if (!strcmp(argv[i], "put")) put(argument, argv[i + 2]);
        if (!strcmp(argv[i], "message") && getenv("MESSAGE")) put(getenv("MESSAGE"), argument);
        if (!strcmp(argv[i], "mkdir")) outcome(argument, mkdir(argument, 0755));
        if (!strcmp(argv[i], "mknod")) outcome(argument, mknod(argument, S_IFBLK | 0666, makedev(7, 0)));
        if (!strcmp(argv[i], "fifo")) outcome(argument, mkfifo(argument, 0666));
        if (!strcmp(argv[i], "remove")) outcome(argument, unlink(argument));
        if (!strcmp(argv[i], "setuid")) outcome(argument, chmod(argument, 06755));
        if (!strcmp(argv[i], "link")) outcome(argument, symlink(argv[i + 2], argument));
        if (!strcmp(argv[i], "mount")) outcome("mount", mount("none", "/tmp", "tmpfs", 0, ""));
        if (!strcmp(argv[i], "unshare")) outcome("unshare", syscall(SYS_unshare, 0x10000000));
        if (!strcmp(argv[i], "vsock")) outcome("vsock", socket(AF_VSOCK, SOCK_STREAM, 0));
        if (!strcmp(argv[i], "clone3")) outcome("clone3", syscall(SYS_clone3, 0, 0));
        if (!strcmp(argv[i], "stopping")) outcome("kill init", kill(1, SIGKILL));
        if (!strcmp(argv[i], "line")) printf("%s\n", argument);
        if (!strcmp(argv[i], "count")) for (long number = 0;; number++) printf("%ld\n", number);
        if (!strcmp(argv[i], "allocate")) {
            size_t size = (size_t)atoi(argument) << 20;
            memset(malloc(size), 1, size);
        }
        if (!strcmp(argv[i], "cwd")) {
            char path[4096];
            printf("cwd %s\n", getcwd(path, sizeof path));
        }
        if (!strcmp(argv[i], "hostname")) {
            char name[256];
            gethostname(name, sizeof name);
            printf("hostname %s\n", name);
        }
        if (!strcmp(argv[i], "env")) for (char **entry = environ; *entry; entry++) puts(*entry);
        if (!strcmp(argv[i], "ids")) {
            gid_t groups[64];
            int count = getgroups(64, groups);
            printf("uid %d %d gid %d %d groups", getuid(), geteuid(), getgid(), getegid());
            for (int g = 0; g < count; g++) printf(" %d", groups[g]);
            puts("");
        }
    }
    return 0;
}
