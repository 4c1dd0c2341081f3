/* Writers and readers of Avro's binary encoding, made once per schema (Avro 1.12, "Binary Encoding").

   The same in effect as those of pipeline/avro/codec.py, which runs where this is not compiled.
   pipeline/avro/program.py makes the programs that are given here: (case, class or None,
   ((name, program), ...)), where the parts are a record's fields, or the one thing inside an array
   or an optional.

   What is read is a stranger's. No octet is read before its place is compared with the end, and
   nothing is allocated for a count, or for a length of more octets than there are. Every item takes
   an octet at least, since no record is without fields, and calls go as deep as the schema does. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <datetime.h>
#include <stdint.h>
#include <structmember.h>

static int refuse(PyObject *kind, const char *words)
{
    PyErr_SetString(kind, words);
    return -1;
}

/* ---- Programs ---- */

typedef enum { STRING, BYTES, INT, BOOLEAN, TIME, OPTIONAL, ARRAY, RECORD, CASES } Case;
static const char *const WORDS[CASES] = {"string", "bytes",    "int",   "boolean",
                                         "time",   "optional", "array", "record"};

typedef struct Node {
    Case is;
    Py_ssize_t count; /* of parts */
    struct Node *parts;
    PyObject *kind, *names; /* a record's class, and its fields as names of arguments */
    Py_ssize_t slot;        /* of a field: where the record holds it, or 0 if that is not known */
} Node;

static void clear(Node *node)
{
    for (Py_ssize_t i = 0; i < node->count; i++)
        clear(&node->parts[i]);
    PyMem_Free(node->parts);
    Py_XDECREF(node->kind);
    Py_XDECREF(node->names);
}

static Py_ssize_t slot_of(PyObject *kind, PyObject *name)
{
    Py_ssize_t slot = 0;
    PyObject *found = PyObject_GetAttr(kind, name);
    if (found == NULL)
        PyErr_Clear();
    else if (Py_IS_TYPE(found, &PyMemberDescr_Type) &&
             PyType_IsSubtype((PyTypeObject *)kind, PyDescr_TYPE(found))) {
        const PyMemberDef *member = ((PyMemberDescrObject *)found)->d_member;
        slot = member->type == T_OBJECT || member->type == T_OBJECT_EX ? member->offset : 0;
    }
    Py_XDECREF(found);
    return slot;
}

/* Make of zeros what a program says; to be cleared even when it fails. */
static int fill(Node *node, PyObject *program)
{
    const char *word;
    PyObject *kind, *parts;
    if (!PyArg_ParseTuple(program, "sOO!", &word, &kind, &PyTuple_Type, &parts))
        return -1;
    while (node->is < CASES && strcmp(word, WORDS[node->is]) != 0)
        node->is++;
    Py_ssize_t count = PyTuple_GET_SIZE(parts);
    if (node->is == RECORD ? count == 0 || !PyType_Check(kind)
                           : node->is == CASES || count != (node->is >= OPTIONAL))
        return refuse(PyExc_ValueError, "not a program");
    node->kind = Py_NewRef(kind);
    node->names = PyTuple_New(count);
    node->parts = PyMem_Calloc((size_t)count, sizeof(Node));
    if (node->names == NULL || node->parts == NULL)
        return PyErr_NoMemory(), -1;
    node->count = count;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *name, *inner;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(parts, i), "UO", &name, &inner) ||
            fill(&node->parts[i], inner) < 0)
            return -1;
        node->parts[i].slot = slot_of(kind, name);
        Py_INCREF(name);
        PyUnicode_InternInPlace(&name); /* msgspec looks for the same object first */
        PyTuple_SET_ITEM(node->names, i, name);
    }
    return 0;
}

/* ---- Writing ---- */

#define SECOND INT64_C(1000000) /* microseconds */
#define DAY (86400 * SECOND)
static PyObject *epoch; /* 1970, aware */

typedef struct {
    char *octets; /* `first`, or allocated */
    size_t length, room;
    char first[1024];
} Buffer;

static int add(Buffer *to, const void *octets, size_t length)
{
    if (length > to->room - to->length) {
        size_t least = to->length + length; /* both are in memory: no overflow */
        char *before = to->octets == to->first ? NULL : to->octets;
        char *now = least < PY_SSIZE_T_MAX / 2 ? PyMem_Realloc(before, 2 * least) : NULL;
        if (now == NULL)
            return PyErr_NoMemory(), -1;
        if (before == NULL)
            memcpy(now, to->first, to->length);
        to->octets = now;
        to->room = 2 * least;
    }
    memcpy(to->octets + to->length, octets, length);
    to->length += length;
    return 0;
}

static int add_long(Buffer *to, int64_t value)
{
    uint64_t rest = (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0); /* zigzag */
    char groups[10];
    size_t count = 0;
    for (; rest > 127; rest >>= 7)
        groups[count++] = (char)(rest | 128);
    groups[count++] = (char)rest;
    return add(to, groups, count);
}

static int write_octets(Buffer *to, const void *octets, Py_ssize_t length)
{
    return add_long(to, length) < 0 ? -1 : add(to, octets, (size_t)length);
}

static int write_int(Buffer *to, PyObject *value)
{
    int overflow;
    int64_t number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow)
        PyErr_Format(PyExc_OverflowError, "%S is no 64-bit integer", value);
    return number == -1 && PyErr_Occurred() ? -1 : add_long(to, number);
}

static int write_time(Buffer *to, PyObject *value)
{
    int status = -1;
    /* datetime's own, also of a class made of it, so that the difference is one of two times */
    PyObject *since = PyDateTimeAPI->DateTimeType->tp_as_number->nb_subtract(value, epoch);
    if (since != NULL && PyDelta_Check(since))
        status = add_long(to, PyDateTime_DELTA_GET_DAYS(since) * DAY +
                                  PyDateTime_DELTA_GET_SECONDS(since) * SECOND +
                                  PyDateTime_DELTA_GET_MICROSECONDS(since));
    else if (since != NULL)
        refuse(PyExc_TypeError, "not a time");
    Py_XDECREF(since);
    return status;
}

static int write_value(const Node *node, Buffer *to, PyObject *value);

static int write_array(const Node *node, Buffer *to, PyObject *value)
{
    int status = PyObject_IsTrue(value);
    if (status <= 0)
        return status < 0 ? -1 : add_long(to, 0);
    PyObject *items = PySequence_Fast(value, "an array is a sequence");
    if (items == NULL)
        return -1;
    status = add_long(to, PySequence_Fast_GET_SIZE(items)); /* one block, one of none ("Arrays") */
    for (Py_ssize_t i = 0; status == 0 && i < PySequence_Fast_GET_SIZE(items); i++) {
        PyObject *item = Py_NewRef(PySequence_Fast_GET_ITEM(items, i));
        status = write_value(node->parts, to, item);
        Py_DECREF(item);
    }
    Py_DECREF(items);
    return status < 0 ? -1 : add_long(to, 0);
}

static int write_record(const Node *node, Buffer *to, PyObject *value)
{
    int status = 0, exact = Py_IS_TYPE(value, (PyTypeObject *)node->kind);
    for (Py_ssize_t i = 0; status == 0 && i < node->count; i++) {
        Py_ssize_t slot = exact ? node->parts[i].slot : 0;
        PyObject *field = slot ? Py_XNewRef(*(PyObject **)((char *)value + slot)) : NULL;
        if (field == NULL)
            field = PyObject_GetAttr(value, PyTuple_GET_ITEM(node->names, i));
        status = field == NULL ? -1 : write_value(&node->parts[i], to, field);
        Py_XDECREF(field);
    }
    return status;
}

static int write_value(const Node *node, Buffer *to, PyObject *value)
{
    int status;
    switch (node->is) {
    case STRING: {
        Py_ssize_t length;
        const char *octets = PyUnicode_AsUTF8AndSize(value, &length);
        return octets == NULL ? -1 : write_octets(to, octets, length);
    }
    case BYTES: {
        Py_buffer view;
        if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) < 0)
            return -1;
        status = write_octets(to, view.buf, view.len);
        PyBuffer_Release(&view);
        return status;
    }
    case INT:
        return write_int(to, value);
    case BOOLEAN:
        status = PyObject_IsTrue(value);
        return status < 0 ? -1 : add_long(to, -status); /* -1 is the octet 1 */
    case TIME:
        return write_time(to, value);
    case OPTIONAL: /* the number of the branch, then what is in it ("Unions") */
        status = add_long(to, value != Py_None);
        return status < 0 || value == Py_None ? status : write_value(node->parts, to, value);
    case ARRAY:
        return write_array(node, to, value);
    default:
        return write_record(node, to, value);
    }
}

/* ---- Reading ---- */

typedef struct {
    const unsigned char *at, *end;
} Octets;

static int ended(void)
{
    return refuse(PyExc_IndexError, "it ends too soon");
}

static int read_octet(Octets *from)
{
    return from->at < from->end ? *from->at++ : ended();
}

static int read_long(Octets *from, int64_t *value)
{
    uint64_t rest = 0;
    for (int shift = 0; shift <= 63; shift += 7) {
        int octet = read_octet(from);
        if (octet < 0)
            return -1;
        if (shift == 63 && octet > 1 && octet < 128)
            return refuse(PyExc_ValueError, "an integer of more than 64 bits");
        rest |= (uint64_t)(octet & 127) << shift;
        if (octet < 128) {
            *value = (int64_t)(rest >> 1) ^ -(int64_t)(rest & 1);
            return 0;
        }
    }
    return refuse(PyExc_ValueError, "an integer of more than ten octets");
}

static int read_length(Octets *from, int64_t *length)
{
    int status = read_long(from, length);
    return status == 0 && *length < 0 ? refuse(PyExc_ValueError, "a negative length") : status;
}

static PyObject *time_from_micros(int64_t micros)
{
    PyObject *time = NULL; /* years are checked by the sum, and days fit: 2^63 is 107 million */
    PyObject *since = PyDelta_FromDSU((int)(micros / DAY), (int)(micros % DAY / SECOND),
                                      (int)(micros % SECOND));
    if (since != NULL)
        time = PyNumber_Add(epoch, since);
    Py_XDECREF(since);
    return time;
}

static PyObject *read_value(const Node *node, Octets *from);

static PyObject *read_array(const Node *node, Octets *from)
{
    int64_t count = 1, size;
    PyObject *items = PyList_New(0);
    int status = items == NULL ? -1 : 0;
    while (status == 0 && (status = read_long(from, &count)) == 0 && count != 0) {
        if (count < 0) /* the size of the block follows ("Arrays") */
            status = read_length(from, &size);
        uint64_t left = count < 0 ? 0 - (uint64_t)count : (uint64_t)count;
        for (; status == 0 && left > 0; left--) {
            PyObject *item = read_value(node->parts, from);
            status = item == NULL ? -1 : PyList_Append(items, item);
            Py_XDECREF(item);
        }
    }
    if (status < 0)
        Py_CLEAR(items);
    return items;
}

static PyObject *read_record(const Node *node, Octets *from)
{
    PyObject *record = NULL, *fields[node->count]; /* as many as our schema has */
    Py_ssize_t read = 0;
    while (read < node->count && (fields[read] = read_value(&node->parts[read], from)) != NULL)
        read++;
    if (read == node->count)
        record = PyObject_Vectorcall(node->kind, fields, 0, node->names);
    while (read > 0)
        Py_DECREF(fields[--read]);
    return record;
}

static PyObject *read_value(const Node *node, Octets *from)
{
    int64_t number;
    int octet;
    switch (node->is) {
    case STRING:
    case BYTES: {
        if (read_length(from, &number) < 0 || (number > from->end - from->at && ended() < 0))
            return NULL;
        const char *octets = (const char *)from->at;
        from->at += number;
        return node->is == STRING ? PyUnicode_DecodeUTF8(octets, (Py_ssize_t)number, NULL)
                                  : PyBytes_FromStringAndSize(octets, (Py_ssize_t)number);
    }
    case INT:
        return read_long(from, &number) < 0 ? NULL : PyLong_FromLongLong(number);
    case BOOLEAN:
        octet = read_octet(from);
        if (octet > 1)
            octet = refuse(PyExc_ValueError, "a boolean that is neither 0 nor 1");
        return octet < 0 ? NULL : PyBool_FromLong(octet);
    case TIME:
        return read_long(from, &number) < 0 ? NULL : time_from_micros(number);
    case OPTIONAL:
        octet = read_octet(from);
        if (octet > 0 && octet != 2)
            octet = refuse(PyExc_ValueError, "no such branch of the union");
        if (octet <= 0)
            return octet < 0 ? NULL : Py_NewRef(Py_None);
        return read_value(node->parts, from);
    case ARRAY:
        return read_array(node, from);
    default:
        return read_record(node, from);
    }
}

/* ---- What Python sees ---- */

typedef struct {
    Node root;
    PyObject *prefix; /* bytes; NULL of a reader */
} Codec;

static Codec *codec_of(PyObject *capsule)
{
    return PyCapsule_GetPointer(capsule, NULL);
}

static void drop(PyObject *capsule)
{
    Codec *codec = codec_of(capsule);
    clear(&codec->root);
    Py_XDECREF(codec->prefix);
    PyMem_Free(codec);
}

static PyObject *call_writer(PyObject *capsule, PyObject *value)
{
    const Codec *codec = codec_of(capsule);
    PyObject *octets = NULL;
    Buffer to;
    to.octets = to.first;
    to.length = 0;
    to.room = sizeof to.first;
    if (add(&to, PyBytes_AS_STRING(codec->prefix), (size_t)PyBytes_GET_SIZE(codec->prefix)) == 0 &&
        write_value(&codec->root, &to, value) == 0)
        octets = PyBytes_FromStringAndSize(to.octets, (Py_ssize_t)to.length);
    if (to.octets != to.first)
        PyMem_Free(to.octets);
    return octets;
}

static PyObject *call_reader(PyObject *capsule, PyObject *const *args, Py_ssize_t count)
{
    if ((count != 2 || !PyBytes_Check(args[0])) &&
        refuse(PyExc_TypeError, "a reader takes bytes and a position") < 0)
        return NULL;
    const unsigned char *octets = (const unsigned char *)PyBytes_AS_STRING(args[0]);
    Py_ssize_t at = PyLong_AsSsize_t(args[1]), length = PyBytes_GET_SIZE(args[0]);
    if (PyErr_Occurred() || ((at < 0 || at > length) && ended() < 0))
        return NULL;
    Octets from = {octets + at, octets + length};
    PyObject *value = read_value(&codec_of(capsule)->root, &from);
    return value == NULL ? NULL : Py_BuildValue("Nn", value, (Py_ssize_t)(from.at - octets));
}

static PyObject *made(PyMethodDef *call, PyObject *program, PyObject *prefix)
{
    PyObject *function = NULL, *capsule = NULL;
    Codec *codec = PyMem_Calloc(1, sizeof(Codec));
    if (codec == NULL)
        return PyErr_NoMemory();
    if ((capsule = PyCapsule_New(codec, NULL, drop)) == NULL) {
        PyMem_Free(codec);
        return NULL;
    }
    codec->prefix = Py_XNewRef(prefix);
    if (fill(&codec->root, program) == 0)
        function = PyCFunction_New(call, capsule);
    Py_DECREF(capsule);
    return function;
}

static PyMethodDef WRITER = {"writer", call_writer, METH_O, "value -> prefix + its octets"};
static PyMethodDef READER = {"reader", (PyCFunction)(void (*)(void))call_reader, METH_FASTCALL,
                             "(octets, position) -> (value, next position)"};

static PyObject *make_writer(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *program, *prefix;
    return PyArg_ParseTuple(args, "OS", &program, &prefix) ? made(&WRITER, program, prefix) : NULL;
}

static PyObject *make_reader(PyObject *Py_UNUSED(module), PyObject *program)
{
    return made(&READER, program, NULL);
}

static PyMethodDef METHODS[] = {{"make_writer", make_writer, METH_VARARGS, "(program, prefix)"},
                                {"make_reader", make_reader, METH_O, "program"},
                                {NULL, NULL, 0, NULL}};
static PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, .m_name = "native", .m_size = -1,
                             .m_methods = METHODS};

PyMODINIT_FUNC PyInit_native(void)
{
    PyDateTime_IMPORT;
    if (PyDateTimeAPI != NULL)
        epoch = PyDateTimeAPI->DateTime_FromDateAndTime(1970, 1, 1, 0, 0, 0, 0,
                                                        PyDateTime_TimeZone_UTC,
                                                        PyDateTimeAPI->DateTimeType);
    return epoch == NULL ? NULL : PyModule_Create(&MODULE);
}
