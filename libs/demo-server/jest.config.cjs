module.exports = require('../../jest.package.cjs')('demo-server');
