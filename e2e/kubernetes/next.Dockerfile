# app:next is app:latest with another version. The image's bytecode is not compared with its source,
# so it is compiled anew.
FROM app:latest
USER 0
RUN sed -i 's/^VERSION = "\(.*\)"/VERSION = "\1-next"/' project/settings.py \
 && python -m compileall -q -f --invalidation-mode unchecked-hash project
USER 10001:0
