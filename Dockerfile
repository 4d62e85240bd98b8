# An image of the command `tally`, built from this repository: docker build --tag tallystick:local .
FROM node:24-slim AS build
WORKDIR /build
COPY . .
# No install scripts: only tests need them, and the build runs no tests. chmod makes the files readable for the user `node`, even if the
# checkout is readable only by its owner.
RUN npm ci --ignore-scripts \
  && npm run build \
  && npm prune --omit=dev --ignore-scripts \
  && rm -rf packages/testing packages/*/src packages/*/test packages/*/tsconfig.* node_modules/@tallystick/testing \
  && chmod -R a+rX package.json node_modules packages

FROM node:24-slim
WORKDIR /opt/tallystick
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/packages packages
# A new volume takes its owner from this directory.
RUN install -d -o node -g node /var/lib/tallystick /var/lib/tallystick/signer
USER node
ENV NODE_ENV=production
# With these limits a replica that reads from Kafka stays under 256 MiB. Large HTTP batches and lists need up to 512 MiB (docs/production.md).
# A deployment can override the limits.
ENV NODE_OPTIONS="--max-old-space-size=128 --max-semi-space-size=8"
EXPOSE 8040
ENTRYPOINT ["node", "/opt/tallystick/packages/cli/bin/tally.js"]
CMD ["--help"]
