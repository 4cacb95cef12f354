/* How much the sink itself can take: one message again and again over a few connections, with no work in between.
 *   smtp_blast PORT MESSAGES CONNECTIONS BYTES
 * Each connection writes a body, its dot and the next envelope at once, and reads the four answers of the last round.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>

static void send_all(int fd, const char *data, size_t size) {
    while (size) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent <= 0) { perror("send"); exit(1); }
        data += sent; size -= sent;
    }
}

static void read_lines(int fd, int lines) {
    char buffer[4096];
    while (lines > 0) {
        ssize_t got = recv(fd, buffer, sizeof buffer, 0);
        if (got <= 0) { perror("recv"); exit(1); }
        for (ssize_t i = 0; i < got; i++) lines -= buffer[i] == '\n';
    }
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    int port = atoi(argv[1]), connections = atoi(argv[3]), one = 1;
    long messages = atol(argv[2]), begun = 0;
    size_t size = atol(argv[4]);
    char *body = malloc(size + 600);
    for (size_t i = 0; i < size; i++) body[i] = i % 74 == 72 ? '\r' : i % 74 == 73 ? '\n' : 'x';
    memcpy(body + size - 5, "\r\n.\r\n", 5);
    int *fds = malloc(connections * sizeof *fds), *open = calloc(connections, sizeof *open);
    struct sockaddr_in sink = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char envelope[200];
    for (int c = 0; c < connections; c++) {
        fds[c] = socket(AF_INET, SOCK_STREAM, 0);
        setsockopt(fds[c], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (connect(fds[c], (void *)&sink, sizeof sink)) { perror("connect"); return 1; }
        read_lines(fds[c], 1);
        send_all(fds[c], "EHLO blast\r\n", 12);
        read_lines(fds[c], 4);
    }
    for (long round = 0; ; round++) {
        int any = 0;
        for (int c = 0; c < connections; c++) {
            if (round && open[c]) read_lines(fds[c], round == 1 ? 3 : 4);
            size_t used = round && open[c] ? size : 0;
            open[c] = begun < messages;
            if (open[c]) {
                int n = snprintf(envelope, sizeof envelope, "MAIL FROM:<care@example.com>\r\n"
                    "RCPT TO:<person%ld@example.com>\r\nDATA\r\n", begun++);
                memcpy(body + used, envelope, n);
                send_all(fds[c], used ? body : envelope, used + n);
                any = 1;
            } else if (used) {
                send_all(fds[c], body, size);
                read_lines(fds[c], 1);
            }
        }
        if (!any) break;
    }
    return 0;
}
