/* SPDX-License-Identifier: Apache-2.0 */
/* Tells by the first bytes how a file is packed, and unpacks it into a window of lines. */
#include "lib/readers/instream.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include "lib/core/atomicfile.h"
#include "lib/core/buf.h"
#include "lib/core/options.h"
#include "liballot/mem.h"

enum { PIECE = 1 << 18, GZIP_WINDOW = 15 + 16 };

typedef enum { PLAIN, GZIP, ZSTD } packing;

struct allot_instream {
    FILE *file;
    char *path;
    packing kind;
    z_stream gzip;
    ZSTD_DStream *zstd;
    unsigned char *packed; /* [PIECE] read, not yet unpacked: [packed_at, packed_n) */
    size_t packed_at, packed_n;
    int between; /* at the end of a gzip member or zstd frame: the file may end here */
    int ended;
    char *text; /* unpacked: [at, n) is not handed out yet */
    size_t at, n, capacity;
    long number;
};

static packing kind_of(const unsigned char *head, size_t n)
{
    if (n >= 2 && head[0] == 0x1f && head[1] == 0x8b) return GZIP;
    if (n >= 4 && memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0) return ZSTD;
    return PLAIN;
}

static allot_code fill_packed(allot_instream *s, allot_err *err)
{
    s->packed_at = 0;
    s->packed_n = fread(s->packed, 1, PIECE, s->file);
    if (s->packed_n == 0 && ferror(s->file))
        return allot_fail(err, ALLOT_ERUNTIME, "cannot read '%s': %s", s->path, strerror(errno));
    return ALLOT_OK;
}

/* Files that data sets also come in, and what makes lines of them. */
static allot_code refuse_foreign(const allot_instream *s, allot_err *err)
{
    static const struct {
        const char *head;
        size_t n;
        const char *what, *way_out;
    } kinds[] = {
        {"PAR1\x15", 5, "a Parquet file",
         "in Python: pandas.read_parquet(...).to_json('x.jsonl', orient='records', lines=True)"},
        {"ARROW1", 6, "an Arrow file",
         "in Python: datasets.Dataset.from_file(...).to_json('x.jsonl')"},
        {"\x89HDF\r\n\x1a\n", 8, "an HDF5 file", "'allot-datasets inspect' knows allot's own"},
        {"PK\x03\x04", 4, "a zip file", "unpack it with unzip"},
        {"\xfd"
         "7zXZ",
         5, "an xz file", "unpack it with unxz"},
        {"\xff\xfe", 2, "UTF-16 text", "convert it with iconv -f UTF-16 -t UTF-8"},
        {"\xfe\xff", 2, "UTF-16 text", "convert it with iconv -f UTF-16 -t UTF-8"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (s->packed_n >= kinds[i].n && memcmp(s->packed, kinds[i].head, kinds[i].n) == 0)
            return allot_fail(err, ALLOT_EINPUT,
                              "cannot read '%s': it is %s, not lines in UTF-8 (%s)", s->path,
                              kinds[i].what, kinds[i].way_out);
    return ALLOT_OK;
}

static allot_code start_unpacking(allot_instream *s, allot_err *err)
{
    s->kind = kind_of(s->packed, s->packed_n);
    s->between = 1;
    if (s->kind == GZIP && inflateInit2(&s->gzip, GZIP_WINDOW) != Z_OK) {
        s->kind = PLAIN; /* nothing to end */
        return allot_fail(err, ALLOT_ERUNTIME, "cannot read '%s': zlib has no memory", s->path);
    }
    if (s->kind == ZSTD && !(s->zstd = ZSTD_createDStream()))
        return allot_fail(err, ALLOT_ERUNTIME, "cannot read '%s': zstd has no memory", s->path);
    return ALLOT_OK;
}

allot_code allot_instream_open(const char *path, allot_instream **out, allot_err *err)
{
    *out = NULL;
    FILE *file = fopen(path, "rb");
    allot_input_note(path);
    if (!file)
        return allot_fail(err, ALLOT_ERUNTIME, "cannot read '%s': %s", path, strerror(errno));
    allot_instream *s = allot_mem_array(1, sizeof *s, err);
    if (!s) {
        fclose(file);
        return ALLOT_ERUNTIME;
    }
    s->file = file;
    s->path = allot_mem_text(path, strlen(path), err);
    s->packed = s->path ? allot_mem_array(PIECE, 1, err) : NULL;
    allot_code rc = s->packed ? fill_packed(s, err) : ALLOT_ERUNTIME;
    if (!rc) rc = refuse_foreign(s, err);
    if (!rc) rc = start_unpacking(s, err);
    if (rc) allot_instream_close(&s);
    *out = s;
    return rc;
}

void allot_instream_close(allot_instream **sp)
{
    allot_instream *s = *sp;
    if (!s) return;
    if (s->kind == GZIP) inflateEnd(&s->gzip);
    ZSTD_freeDStream(s->zstd);
    fclose(s->file);
    free(s->path);
    free(s->packed);
    free(s->text);
    free(s);
    *sp = NULL;
}

static allot_code damaged(const allot_instream *s, const char *why, allot_err *err)
{
    return allot_fail(err, ALLOT_EINPUT,
                      "cannot unpack '%s' behind line %ld: %s (the download may "
                      "be incomplete)",
                      s->path, s->number, why);
}

/* One step of the unpacker: takes from packed, adds at most `room` bytes at out; *n of them. */
static allot_code gunzip(allot_instream *s, char *out, size_t room, size_t *n, allot_err *err)
{
    s->gzip.next_in = s->packed + s->packed_at;
    s->gzip.avail_in = (uInt)(s->packed_n - s->packed_at);
    s->gzip.next_out = (unsigned char *)out;
    s->gzip.avail_out = (uInt)room;
    int z = inflate(&s->gzip, Z_NO_FLUSH);
    s->packed_at = s->packed_n - s->gzip.avail_in;
    *n = room - s->gzip.avail_out;
    s->between = z == Z_STREAM_END;
    if (z == Z_STREAM_END) inflateReset2(&s->gzip, GZIP_WINDOW);
    else if (z != Z_OK && z != Z_BUF_ERROR)
        return damaged(s, s->gzip.msg ? s->gzip.msg : "not gzip", err);
    return ALLOT_OK;
}

static allot_code unzstd(allot_instream *s, char *out, size_t room, size_t *n, allot_err *err)
{
    ZSTD_inBuffer from = {s->packed, s->packed_n, s->packed_at};
    ZSTD_outBuffer to = {out, room, 0};
    size_t left = ZSTD_decompressStream(s->zstd, &to, &from);
    s->packed_at = from.pos;
    *n = to.pos;
    if (ZSTD_isError(left)) return damaged(s, ZSTD_getErrorName(left), err);
    s->between = left == 0;
    return ALLOT_OK;
}

static size_t copy(allot_instream *s, char *out, size_t room)
{
    size_t n = s->packed_n - s->packed_at;
    if (n > room) n = room;
    memcpy(out, s->packed + s->packed_at, n);
    s->packed_at += n;
    return n;
}

/* More text behind n, or ended. At the end of the file the unpacker may still hold some. */
static allot_code more(allot_instream *s, allot_err *err)
{
    void *grown = s->text;
    size_t got = 0;
    allot_code rc = allot_mem_grow(&grown, &s->capacity, s->n + PIECE + 1, 1, err);
    s->text = grown;
    while (!rc && got == 0 && !s->ended) {
        if (s->packed_at == s->packed_n) rc = fill_packed(s, err);
        int dry = s->packed_at == s->packed_n;
        char *out = s->text + s->n;
        if (rc) break;
        if (s->kind == PLAIN) got = copy(s, out, PIECE);
        else if (!dry || !s->between)
            rc = s->kind == GZIP ? gunzip(s, out, PIECE, &got, err)
                                 : unzstd(s, out, PIECE, &got, err);
        s->ended = dry && got == 0;
        if (!rc && s->ended && !s->between) rc = damaged(s, "the file ends too early", err);
    }
    s->n += got;
    if (!rc && allot_interrupted()) rc = allot_fail(err, ALLOT_EINTR, "interrupted");
    return rc;
}

/* Reads to the end of a line that is too long, without holding it; *n: its bytes. */
static allot_code skip_line(allot_instream *s, size_t *n, allot_err *err)
{
    for (allot_code rc;;) {
        s->n = s->at = 0;
        if ((rc = more(s, err))) return rc;
        char *end = memchr(s->text, '\n', s->n);
        size_t taken = end ? (size_t)(end - s->text) : s->n;
        *n += taken;
        s->at = taken + (end != NULL);
        if (end || s->ended) return ALLOT_OK;
    }
}

allot_code allot_instream_line(allot_instream *s, char **line, size_t *n, allot_err *err)
{
    size_t looked = 0; /* bytes behind at without a newline */
    char *end = NULL;
    *line = NULL;
    *n = 0;
    while (!(end = s->n > s->at + looked
                       ? memchr(s->text + s->at + looked, '\n', s->n - s->at - looked)
                       : NULL)) {
        looked = s->n - s->at;
        if (s->ended) break;
        if (looked > (size_t)ALLOT_INSTREAM_MAX_LINE) {
            s->number++;
            *line = s->text;
            *n = looked;
            return skip_line(s, n, err);
        }
        if (looked) memmove(s->text, s->text + s->at, looked);
        s->n = looked;
        s->at = 0;
        allot_code rc = more(s, err);
        if (rc) return rc;
    }
    if (!end && looked == 0) return ALLOT_OK;
    *line = s->text + s->at;
    *n = end ? (size_t)(end - *line) : looked;
    s->at += *n + (end != NULL);
    s->number++;
    if (s->number == 1 && *n >= 3 && memcmp(*line, "\xef\xbb\xbf", 3) == 0) {
        *line += 3;
        *n -= 3;
    }
    if (*n && (*line)[*n - 1] == '\r') --*n;
    (*line)[*n] = '\0';
    return ALLOT_OK;
}

static allot_code check_line(const allot_instream *s, const char *line, size_t n, allot_err *err)
{
    if (n > (size_t)ALLOT_INSTREAM_MAX_LINE)
        return allot_fail(err, ALLOT_EINPUT, "line %ld of '%.250s': longer than %ld bytes (%zu)",
                          s->number, s->path, ALLOT_INSTREAM_MAX_LINE, n);
    if (memchr(line, '\0', n))
        return allot_fail(err, ALLOT_EINPUT, "line %ld of '%.250s': holds a NUL byte", s->number,
                          s->path);
    return ALLOT_OK;
}

allot_code allot_instream_text(const char *path, size_t max_bytes, char **text, size_t *n,
                               allot_err *err)
{
    allot_instream *s;
    allot_buf all = {0};
    char *line;
    size_t length;
    allot_code rc = allot_instream_open(path, &s, err);
    while (!rc && !(rc = allot_instream_line(s, &line, &length, err)) && line) {
        rc = check_line(s, line, length, err);
        if (!rc && all.n + length >= max_bytes)
            rc = allot_fail(err, ALLOT_EINPUT, "'%.250s' has more than %zu bytes", path, max_bytes);
        if (rc) break;
        allot_buf_add(&all, line, length);
        allot_buf_add(&all, "\n", 1);
    }
    allot_buf_add(&all, "", 1);
    if (!rc) rc = allot_buf_check(&all, err);
    allot_instream_close(&s);
    if (rc) allot_buf_clear(&all);
    *text = all.at;
    *n = rc ? 0 : all.n - 1;
    return rc;
}

long allot_instream_number(const allot_instream *s)
{
    return s->number;
}
