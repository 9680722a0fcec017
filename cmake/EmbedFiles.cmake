# cmake -DROOT=folder -DOUTPUT=file.cpp "-DFILES=target=source;..." -P EmbedFiles.cmake
# Writes a C++ source with the text of each file; `target` is its name in the project, `source` its path under ROOT.
set(entries "")
foreach(pair ${FILES})
  string(REGEX MATCH "^([^=]+)=(.+)$" matched "${pair}")
  set(name "${CMAKE_MATCH_1}")
  file(READ "${ROOT}/${CMAKE_MATCH_2}" text)
  string(APPEND entries "      {\"${name}\", R\"ERNN_FILE(${text})ERNN_FILE\"},\n")
endforeach()
file(WRITE "${OUTPUT}.new" "#include \"hls/embedded_files.h\"

namespace ernn {

const std::vector<EmbeddedFile>& hls_project_files() {
  static const std::vector<EmbeddedFile> files = {
${entries}  };
  return files;
}

}  // namespace ernn
")
file(COPY_FILE "${OUTPUT}.new" "${OUTPUT}" ONLY_IF_DIFFERENT)
file(REMOVE "${OUTPUT}.new")
