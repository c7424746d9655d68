module.exports = require('../../jest.package.cjs')('ws-gateway');
