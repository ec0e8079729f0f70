/* SPDX-License-Identifier: Apache-2.0 */
/* broken_faults.h - answers that break off, fall silent, never end or come late; part of faults.h.
 */
#ifndef ALLOT_BROKEN_FAULTS_H
#define ALLOT_BROKEN_FAULTS_H
static enum MHD_Result fault_closed(const fault_request *r)
{
    return r->tries > 0 ? fault_ok(r) : MHD_NO;
}

static ssize_t fault_break_off(void *user, uint64_t at, char *out, size_t max)
{
    (void)user;
    if (at > 0 || max < 5) return MHD_CONTENT_READER_END_WITH_ERROR;
    memcpy(out, "{\"cho", 5);
    return 5;
}

static ssize_t fault_fall_silent(void *user, uint64_t at, char *out, size_t max)
{
    if (at == 0) return fault_break_off(user, at, out, max);
    sleep(FAULT_SLOW_S);
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

static ssize_t fault_blanks(void *user, uint64_t at, char *out, size_t max)
{
    (void)user;
    (void)at;
    memset(out, ' ', max);
    return (ssize_t)max;
}

static enum MHD_Result fault_stream(const fault_request *r, uint64_t size,
                                    MHD_ContentReaderCallback reader)
{
    struct MHD_Response *m = MHD_create_response_from_callback(size, 65536, reader, NULL, NULL);
    enum MHD_Result ok = MHD_queue_response(r->connection, 200, m);
    MHD_destroy_response(m);
    return ok;
}

static ssize_t fault_ping(void *user, uint64_t at, char *out, size_t max)
{
    (void)user;
    (void)at;
    usleep(20000);
    return snprintf(out, max, ": ping\n\n");
}

/* A stream that lives, but does not come to an end. */
static enum MHD_Result fault_stream_drip(const fault_request *r)
{
    return fault_stream(r, MHD_SIZE_UNKNOWN, fault_ping);
}

static enum MHD_Result fault_truncated(const fault_request *r)
{
    return r->tries > 0 ? fault_ok(r) : fault_stream(r, 1000, fault_break_off);
}

static enum MHD_Result fault_idle(const fault_request *r)
{
    return fault_stream(r, 1000, fault_fall_silent);
}

static enum MHD_Result fault_giant(const fault_request *r)
{
    return fault_stream(r, FAULT_GIANT_BYTES, fault_blanks);
}

static enum MHD_Result fault_slow(const fault_request *r)
{
    sleep(FAULT_SLOW_S);
    return fault_ok(r);
}
#endif
