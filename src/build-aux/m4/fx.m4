dnl Macros of configure.ac.

dnl FX_ARG_ENABLE(name, help): a switch that is off unless asked for, in enable_NAME.
AC_DEFUN([FX_ARG_ENABLE],
  [AC_ARG_ENABLE([$1], [AS_HELP_STRING([--enable-$1], [$2 [no]])], [], [enable_$1=no])])

dnl FX_TRY_CFLAG(flag, if-ok, if-not): does the compiler take this flag, in a link as well?
AC_DEFUN([FX_TRY_CFLAG],
  [AC_MSG_CHECKING([whether $CC takes $1])
   fx_save_CFLAGS=$CFLAGS
   CFLAGS="$CFLAGS -Werror $1"
   AC_LINK_IFELSE([AC_LANG_PROGRAM()], [fx_ok=yes], [fx_ok=no])
   CFLAGS=$fx_save_CFLAGS
   AC_MSG_RESULT([$fx_ok])
   AS_IF([test "x$fx_ok" = xyes], [$2], [$3])])

dnl FX_FIND_CFLAGS(variable, flags): appends those of the flags that the compiler takes.
AC_DEFUN([FX_FIND_CFLAGS],
  [for fx_flag in $2; do
     FX_TRY_CFLAG([$fx_flag], [$1="$$1 $fx_flag"])
   done])

dnl FX_REQUIRE_CFLAGS(variable, flag, message): appends the flag, or ends with the message.
AC_DEFUN([FX_REQUIRE_CFLAGS],
  [FX_TRY_CFLAG([$2], [$1="$$1 $2"], [AC_MSG_ERROR([$3])])])

dnl FX_MISSING(what, package): notes that something is missing.
AC_DEFUN([FX_MISSING],
  [fx_missing="$fx_missing  $1: Debian package $2
"
   case "$fx_missing_packages " in
   *" $2 "*) ;;
   *) fx_missing_packages="$fx_missing_packages $2" ;;
   esac])

dnl FX_PKG_LIB(PREFIX, modules, package): a library that pkg-config knows.
AC_DEFUN([FX_PKG_LIB],
  [PKG_CHECK_MODULES([$1], [$2], [fx_have_$1=yes],
    [fx_have_$1=no
     FX_MISSING([$2], [$3])])])

dnl FX_HEADER_LIB(header, library, function, cppflags, libs, variable, if-missing): a library
dnl found by its header and by a link. variable, if given, is set to what links it.
AC_DEFUN([FX_HEADER_LIB],
  [AC_MSG_CHECKING([for $3 in $1])
   fx_save_CPPFLAGS=$CPPFLAGS
   fx_save_LIBS=$LIBS
   CPPFLAGS="$CPPFLAGS $4"
   LIBS="m4_ifnblank([$2], [-l$2]) $5 $LIBS"
   AC_LINK_IFELSE([AC_LANG_PROGRAM([[
#include <stddef.h>
#include <$1>
]], [[return (void *)$3 == NULL;]])], [fx_ok=yes], [fx_ok=no])
   CPPFLAGS=$fx_save_CPPFLAGS
   LIBS=$fx_save_LIBS
   AC_MSG_RESULT([$fx_ok])
   m4_ifnblank([$6], [AS_IF([test "x$fx_ok" = xyes], [$6="-l$2 $5"], [$6=])
   AC_SUBST([$6])])
   AS_IF([test "x$fx_ok" != xyes], [$7])])

dnl FX_CHECK_CUDA(oldest release): looks for nvcc in PATH, in CUDA_HOME, and in the usual place, and
dnl for the compute capabilities that it compiles for. Machine code for 9.0 is made for 9.0a (wgmma);
dnl PTX of the newest one serves what comes after it.
AC_DEFUN([FX_CHECK_CUDA],
  [AC_ARG_VAR([CUDA_HOME], [where the CUDA toolkit is])
   AC_ARG_VAR([NVCC], [the CUDA compiler])
   fx_cuda=no
   fx_cuda_report=no
   AS_IF([test "x$with_cuda" != xno],
     [AC_PATH_PROG([NVCC], [nvcc], [],
        [$PATH$PATH_SEPARATOR${CUDA_HOME:+$CUDA_HOME/bin$PATH_SEPARATOR}/usr/local/cuda/bin])
      AS_IF([test -n "$NVCC"],
        [AC_MSG_CHECKING([for the release of nvcc])
         fx_cuda_release=`"$NVCC" --version 2>/dev/null | $SED -n 's/.*release \([[0-9.]]*\).*/\1/p'`
         AC_MSG_RESULT([${fx_cuda_release:-unknown}])
         AS_VERSION_COMPARE([${fx_cuda_release:-0}], [$1],
           [fx_cuda_report="no: $NVCC is of release ${fx_cuda_release:-unknown}, $1 is needed"],
           [fx_cuda=yes], [fx_cuda=yes])],
        [fx_cuda_report="no: nvcc not found"])
      AS_IF([test "x$fx_cuda" = xyes], [FX_CUDA_TRY])
      AS_IF([test "x$fx_cuda" = xyes], [FX_CUDA_FIND_TARGETS])
      AS_IF([test "x$with_cuda$fx_cuda" = xyesno],
        [AC_MSG_ERROR([--with-cuda: $fx_cuda_report (Debian package nvidia-cuda-toolkit, dnl
or the toolkit from NVIDIA)])])])
   AM_CONDITIONAL([HAVE_CUDA], [test "x$fx_cuda" = xyes])
   AC_SUBST([FX_CUDA_CODE])
   AC_SUBST([FX_CUDA_TARGETS])
   AC_SUBST([FX_CUDA_PTX])
   AC_SUBST([FX_CUDA_RELEASE])
   AS_IF([test "x$fx_cuda" = xyes],
     [AC_DEFINE([HAVE_CUDA], [1], [nvcc is there; CUDA libraries are loaded at run time])])])

dnl FX_CUDA_TRY: does nvcc compile at all? It needs a compiler for the host that it knows.
AC_DEFUN([FX_CUDA_TRY],
  [AC_MSG_CHECKING([whether nvcc compiles])
   echo '__global__ void kernel(int *x) { *x = 1; }' >conftest.cu
   AS_IF(["$NVCC" -ptx -o conftest.ptx conftest.cu >&AS_MESSAGE_LOG_FD 2>&1],
     [AC_MSG_RESULT([yes])],
     [AC_MSG_RESULT([no])
      fx_cuda=no
      fx_cuda_report="no: $NVCC does not compile (config.log says why)"])
   rm -f conftest.cu conftest.ptx])

AC_DEFUN([FX_CUDA_FIND_TARGETS],
  [AC_MSG_CHECKING([what nvcc compiles for])
   fx_cuda_known=" `"$NVCC" --list-gpu-arch 2>/dev/null | tr '\n' ' '`"
   fx_cuda_names=
   for fx_arch in 61 70 75 80 90 100 110 120; do
     case "$fx_cuda_known" in
     *" compute_$fx_arch "*)
       fx_name=`echo $fx_arch | $SED 's/\(.\)$/.\1/'`
       fx_a=
       test $fx_arch = 90 && fx_a=a
       FX_CUDA_CODE="$FX_CUDA_CODE -gencode arch=compute_$fx_arch$fx_a,code=sm_$fx_arch$fx_a"
       FX_CUDA_TARGETS="$FX_CUDA_TARGETS $fx_arch,"
       FX_CUDA_PTX=$fx_arch
       fx_cuda_names="$fx_cuda_names $fx_name$fx_a" ;;
     esac
   done
   AC_MSG_RESULT([${fx_cuda_names:-nothing that is of use}])
   AS_IF([test -z "$FX_CUDA_PTX"],
     [fx_cuda=no
      fx_cuda_report="no: $NVCC compiles for no device of use"],
     [FX_CUDA_CODE="$FX_CUDA_CODE -gencode arch=compute_$FX_CUDA_PTX,code=compute_$FX_CUDA_PTX"
      FX_CUDA_RELEASE=`echo $fx_cuda_release | $SED 's/\.\(.*\)/ \1/' |
        while read fx_major fx_minor; do echo $(($fx_major * 1000 + ${fx_minor:-0} * 10)); done`
      fx_cuda_report="$NVCC $fx_cuda_release, for$fx_cuda_names, and PTX for $fx_name"])])
