/* The three services of the benchmarks (echo, discard, chargen) on lwIP, as Debian builds it, over the
 * descriptor of a TUN device that this process inherits.
 *
 * usage: lwip FD LOCAL MTU
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lwip/api.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"
#include "lwip/sys.h"
#include "lwip/tcp.h"
#include "lwip/tcpip.h"

static int device;
static int mtu;
static struct netif netif;
static char chunk[1 << 18];

static err_t output(struct netif *n, struct pbuf *p, const ip4_addr_t *to)
{
    static char packet[65536];
    u16_t size = pbuf_copy_partial(p, packet, sizeof packet - 1, 0);

    (void)n;
    (void)to;
    return write(device, packet, size) == size ? ERR_OK : ERR_BUF;
}

static err_t begin(struct netif *n)
{
    n->name[0] = 't';
    n->name[1] = 'n';
    n->mtu = mtu;
    n->output = output;
    n->flags = NETIF_FLAG_UP | NETIF_FLAG_LINK_UP;
    return ERR_OK;
}

static void input(void *nothing)
{
    static char packet[65536];
    ssize_t size;

    (void)nothing;
    while ((size = read(device, packet, sizeof packet)) > 0) {
        struct pbuf *p = pbuf_alloc(PBUF_RAW, size, PBUF_RAM);

        if (p == NULL)
            continue;
        pbuf_take(p, packet, size);
        if (netif.input(p, &netif) != ERR_OK)
            pbuf_free(p);
    }
}

static void echo(void *argument)
{
    struct netconn *connection = argument;
    struct netbuf *buffer;
    void *data;
    u16_t size;

    while (netconn_recv(connection, &buffer) == ERR_OK) {
        do {
            netbuf_data(buffer, &data, &size);
            netconn_write(connection, data, size, NETCONN_COPY);
        } while (netbuf_next(buffer) >= 0);
        netbuf_delete(buffer);
    }
    netconn_close(connection);
    netconn_delete(connection);
}

static void discard(void *argument)
{
    struct netconn *connection = argument;
    struct pbuf *data;

    while (netconn_recv_tcp_pbuf(connection, &data) == ERR_OK)
        pbuf_free(data);
    netconn_write(connection, "!", 1, NETCONN_COPY);
    netconn_close(connection);
    netconn_delete(connection);
}

static void chargen(void *argument)
{
    struct netconn *connection = argument;
    struct netbuf *buffer;
    uint64_t left = 0;
    unsigned char count[8];

    if (netconn_recv(connection, &buffer) == ERR_OK) {
        if (netbuf_copy(buffer, count, 8) == 8)
            for (int i = 0; i < 8; i++)
                left = left << 8 | count[i];
        netbuf_delete(buffer);
        while (left > 0) {
            size_t size = left < sizeof chunk ? left : sizeof chunk;

            if (netconn_write(connection, chunk, size, NETCONN_NOCOPY) != ERR_OK)
                break;
            left -= size;
        }
    }
    netconn_close(connection);
    netconn_delete(connection);
}

struct service {
    int port;
    lwip_thread_fn serve;
};

static struct service services[] = {{8007, echo}, {8009, discard}, {8019, chargen}};

static void listen_for(void *argument)
{
    struct service *service = argument;
    struct netconn *listener = netconn_new(NETCONN_TCP), *connection;

    netconn_bind(listener, IP_ADDR_ANY, service->port);
    netconn_listen_with_backlog(listener, 255);
    for (;;) {
        if (netconn_accept(listener, &connection) == ERR_OK) {
            tcp_nagle_disable(connection->pcb.tcp);
            sys_thread_new("service", service->serve, connection, 0, 0);
        }
    }
}

static void ready(void *done)
{
    sys_sem_signal(done);
}

int main(int count, char **arguments)
{
    ip4_addr_t local, mask, gateway;
    sys_sem_t done;

    if (count != 4)
        return 2;
    device = atoi(arguments[1]);
    fcntl(device, F_SETFL, fcntl(device, F_GETFL) & ~O_NONBLOCK);
    mtu = atoi(arguments[3]);
    local.addr = inet_addr(arguments[2]);
    mask.addr = inet_addr("255.255.255.0");
    gateway.addr = 0;
    sys_sem_new(&done, 0);
    tcpip_init(ready, &done);
    sys_sem_wait(&done);
    LOCK_TCPIP_CORE();
    netif_add(&netif, &local, &mask, &gateway, NULL, begin, tcpip_input);
    netif_set_default(&netif);
    netif_set_up(&netif);
    UNLOCK_TCPIP_CORE();
    sys_thread_new("input", input, NULL, 0, 0);
    for (int i = 0; i < 3; i++)
        sys_thread_new("listener", listen_for, &services[i], 0, 0);
    puts("ready");
    fflush(stdout);
    while (read(0, chunk, 1) > 0) /* until whoever started us is gone */
        ;
    return 0;
}
