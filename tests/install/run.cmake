set(prefix ${BUILD}/install-test/prefix)
set(work ${BUILD}/install-test/consumer)
file(REMOVE_RECURSE ${BUILD}/install-test)
foreach(step
        "--install|${BUILD}|--prefix|${prefix}"
        "-S|${SOURCE}|-B|${work}|-G|${GENERATOR}|-DCMAKE_PREFIX_PATH=${prefix}|-DCMAKE_CXX_COMPILER=${COMPILER}"
        "--build|${work}")
  string(REPLACE "|" ";" arguments "${step}")
  execute_process(COMMAND ${CMAKE_COMMAND} ${arguments} OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
endforeach()
execute_process(COMMAND ${work}/consumer COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${work}/runtime_consumer COMMAND_ERROR_IS_FATAL ANY)
