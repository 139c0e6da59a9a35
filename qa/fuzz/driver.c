/* The main() of a fuzz target that is built without libFuzzer: reads each file of the folders and
 * files it is given once. */
#include "qa/fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t inputs;

/* False if it cannot be read as a file. */
static bool read_once(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    size_t size = 0;
    size_t length = 0;
    size_t got;

    if (file == NULL) {
        return false;
    }
    do {
        size += 1 << 16;
        data = realloc(data, size);
        if (data == NULL) {
            abort();
        }
        got = fread(data + length, 1, size - length, file);
        length += got;
    } while (got > 0);
    if (ferror(file)) {
        fclose(file);
        free(data);
        return false;
    }
    fclose(file);
    data = realloc(data, length > 0 ? length : 1); /* so that a read past the end is seen */
    LLVMFuzzerTestOneInput(data, length);
    free(data);
    inputs++;
    return true;
}

static bool read_path(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    bool ok = true;

    if (folder == NULL) {
        return read_once(path);
    }
    while (ok && (entry = readdir(folder)) != NULL) {
        char *name;

        if (entry->d_name[0] == '.') {
            continue;
        }
        if (asprintf(&name, "%s/%s", path, entry->d_name) < 0) {
            abort();
        }
        ok = read_once(name);
        free(name);
    }
    closedir(folder);
    return ok;
}

int main(int argc, char **argv)
{
    int i;

    for (i = 1; i < argc; i++) {
        if (!read_path(argv[i])) {
            fprintf(stderr, "%s: cannot read %s\n", argv[0], argv[i]);
            return 1;
        }
    }
    printf("%zu inputs\n", inputs);
    return inputs > 0 ? 0 : 1;
}
