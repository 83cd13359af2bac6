/* Opens and closes TCP connections with itself over loopback, one octet each way, at a rate.
   Prints the CPU seconds that it took, and the seconds that went by. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static double cpu(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv) {
    if (argc != 4) return 2; /* port, number of connections, connections a second */
    int count = atoi(argv[2]), rate = atoi(argv[3]), one = 1;
    struct sockaddr_in to = {.sin_family = AF_INET};
    to.sin_port = htons((unsigned short)atoi(argv[1]));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&to, sizeof to) || listen(listener, 128)) fail("listen");
    struct timespec began, next, now;
    clock_gettime(CLOCK_MONOTONIC, &began);
    next = began;
    double before = cpu();
    for (int n = 1; n <= count; n++) {
        char octet = 'x';
        int client = socket(AF_INET, SOCK_STREAM, 0);
        if (client < 0 || connect(client, (struct sockaddr *)&to, sizeof to)) fail("connect");
        int server = accept(listener, 0, 0);
        if (server < 0 || write(client, &octet, 1) != 1 || read(server, &octet, 1) != 1) fail("there");
        if (write(server, &octet, 1) != 1 || read(client, &octet, 1) != 1) fail("and back");
        close(client);
        if (read(server, &octet, 1) != 0) fail("end");
        close(server);
        if (n % 10) continue;
        next.tv_nsec += 10 * (1000000000L / rate);
        while (next.tv_nsec >= 1000000000L) next.tv_nsec -= 1000000000L, next.tv_sec++;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, 0);
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    printf("%.6f %.6f\n", cpu() - before, now.tv_sec - began.tv_sec + (now.tv_nsec - began.tv_nsec) / 1e9);
    return 0;
}
